/* A libFuzzer target: the admission scan. `make fuzz` builds and runs it. */
#include <stdint.h>
#include <stdlib.h>

#include "admit.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *s = (const char *)data;
    size_t where = SIZE_MAX;
    const enum xf_admit verdict = xf_admit_json(s, size, SIZE_MAX, XF_ADMIT_DEPTH, &where);

    if (verdict == XF_ADMIT_OK ? where != SIZE_MAX || !xf_text_measure(s, size, NULL, NULL) : where > size)
        abort();
    return 0;
}
