/* A hostile HTTP server for tests: threads of the test's own process, on a port
 * the system chooses, doing one thing of a table again and again. */
#ifndef PEER_H
#define PEER_H

struct peer;

/* Behaviours, by name; `argument` is copied and may be NULL:
 *   refuse               a port that is taken, and refuses connections
 *   reset_on_accept      RST as soon as connected
 *   half_request_reset   RST after the first bytes of the request
 *   reset_before_reply   whole request read, then RST
 *   close_before_reply   whole request read, then FIN
 *   no_reply             whole request read, then silence
 *   half_headers         reply ends within a header
 *   half_reply           reply ends before its Content-Length
 *   bad_chunk            a chunk size that is none
 *   half_chunks          chunked reply without its last chunk
 *   two_content_lengths  two that differ
 *   http09               body without a status line
 *   drip                 one byte of the body every 50 ms, for ever
 *   drip_headers         the same within a header
 *   endless              a body without end
 *   endless_headers      headers without end
 *   big                  100 MiB, announced by Content-Length
 *   reuse_then_die       a connection's first request is answered 200 with the
 *                        argument, its second one is read, then FIN
 *   interim              103, then 200 with the argument
 *   redirect_302         to itself
 *   json                 200 application/json with the argument, kept alive
 *   numbered             the same; a run of # in it is the number of the request, from 1
 *   one_behind           numbered, but from the second request of a connection on it gives the
 *                        answer of the one before: as if the first had come twice
 *   chunked              the same, chunked
 *   html_200 empty_200 invalid_utf8 nan deep status_500: fixed replies
 *   status:NNN           that status with the argument
 * Returns NULL if there is no such behaviour, or no socket. Free with peer_stop. */
struct peer *peer_start(const char *behaviour, const char *argument);
/* Ends all connections and threads. NULL is fine. */
void peer_stop(struct peer *p);

int peer_port(const struct peer *p);
/* http://127.0.0.1:port */
const char *peer_url(const struct peer *p);
/* Whole requests read so far. */
int peer_requests(struct peer *p);
int peer_connections(struct peer *p);
/* The text of the i-th whole request, from 0; NULL if there is none. Valid until peer_stop. */
const char *peer_request(struct peer *p, int i);

#endif
