/* What a row asks for, said in a few words: for error messages and help. */
#ifndef XF_DESCRIBE_H
#define XF_DESCRIBE_H

#include <stddef.h>

#include "contract.h"

enum { XF_DESCRIPTION_SIZE = 512 };

enum xf_language { XF_ZH, XF_EN };

/* "an integer from 1 to 65535", "1 到 65535 的整数". Cut if it does not fit. */
void xf_describe_field(const struct xf_field *f, enum xf_side side, enum xf_language language,
                       char out[XF_DESCRIPTION_SIZE]);

#endif
