std = "lua54"
max_line_length = 120
files["spec/"] = { std = "+busted" }
-- In a sanitizer's build it keeps the preloaded run-time from children.
files["spec/helper.lua"] = { globals = { "io.popen", "os.execute" } }
-- Written as globals: that is its format.
files[".luacheckrc"] = { std = "+luacheckrc" }
