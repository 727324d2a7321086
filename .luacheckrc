std = "lua54"
max_line_length = 110
files["spec/"] = { std = "+busted" }
-- In a sanitizer's build it keeps the preloaded run-time from children.
files["spec/helper.lua"] = { globals = { "io.popen", "os.execute" } }
-- These are written as globals: that is their format.
files["rockspec/*.rockspec"] = { std = "+rockspec" }
files[".luacheckrc"] = { std = "+luacheckrc" }
