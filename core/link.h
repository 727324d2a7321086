/* A ring with a head that is no member; a link alone points to itself. */
#ifndef XF_LINK_H
#define XF_LINK_H

struct xf_link {
    struct xf_link *prev, *next;
};

static inline void xf_link_alone(struct xf_link *link)
{
    link->prev = link->next = link;
}

static inline void xf_link_remove(struct xf_link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    xf_link_alone(link);
}

static inline void xf_link_append(struct xf_link *head, struct xf_link *link)
{
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}

#endif
