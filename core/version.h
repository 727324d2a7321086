/* The one place where the version stands. */
#ifndef XF_VERSION_H
#define XF_VERSION_H
#define XF_VERSION "0.1.0"
#endif
