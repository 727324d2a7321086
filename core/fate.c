#include "fate.h"

enum xf_fate xf_decide_fate(const struct xf_evidence *e)
{
    bool whole = e->curl == 0 && e->status == 200;

    if (!e->released)
        return XF_FATE_NOT_SENT;
    if (whole && e->json && e->envelope)
        return XF_FATE_ANSWERED;
    return XF_FATE_UNKNOWN;
}

const char *xf_fate_name(enum xf_fate fate)
{
    switch (fate) {
    case XF_FATE_NOT_SENT:
        return "not sent";
    case XF_FATE_ANSWERED:
        return "answered";
    case XF_FATE_UNKNOWN:
        break;
    }
    return "unknown";
}
