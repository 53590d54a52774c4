/*
 * Hostile and honest framing: bytes, and what becomes of them. wanted: each whole request as
 * "METHOD target [body] ", then the status of a refusal, or "..." where more is waited for.
 * Bodies may have 64 bytes.
 */
#ifndef CALLGATE_TEST_HTTP_VECTORS_H
#define CALLGATE_TEST_HTTP_VECTORS_H

#include <stddef.h>

struct vector {
	const char *name;
	const char *bytes;
	size_t len;
	const char *wanted;
};

#define V(name, bytes, wanted)                                                                     \
	{                                                                                          \
		name, bytes, sizeof(bytes) - 1, wanted                                             \
	}
#define GET   "GET / HTTP/1.1\r\nHost: a\r\n"
#define POST  "POST / HTTP/1.1\r\nHost: a\r\n"
#define CHUNK POST "Transfer-Encoding: chunked\r\n\r\n"
#define EVIL  "GET /evil HTTP/1.1\r\nHost: a\r\n\r\n"

static const struct vector vectors[] = {
    /* what must go on working */
    V("plain GET", GET "\r\n", "GET / [] "),
    V("body with a length", POST "Content-Length: 5\r\n\r\nhello", "POST / [hello] "),
    V("empty body", POST "Content-Length: 0\r\n\r\n", "POST / [] "),
    V("chunked body", CHUNK "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "POST / [hello world] "),
    V("chunk sizes in either case, with zeros", CHUNK "0A\r\n0123456789\r\n00\r\n\r\n",
	"POST / [0123456789] "),
    V("two at once", GET "\r\n" EVIL, "GET / [] GET /evil [] "),
    V("a body and the next", POST "Content-Length: 2\r\n\r\nab" GET "\r\n",
	"POST / [ab] GET / [] "),
    V("chunks and the next", CHUNK "1\r\na\r\n0\r\n\r\n" GET "\r\n", "POST / [a] GET / [] "),
    V("an empty line in front", "\r\n" GET "\r\n", "GET / [] "),
    V("an empty line between", POST "Content-Length: 1\r\n\r\na\r\n" GET "\r\n",
	"POST / [a] GET / [] "),
    V("HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\n\r\n", "GET / [] "),
    V("absolute form", "GET http://A/x?y HTTP/1.1\r\nHost: a\r\n\r\n", "GET http://A/x?y [] "),
    V("OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * [] "),
    V("an offer of h2c",
	GET "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
	    "HTTP2-Settings: AAMAAABkAAQ\r\n\r\n",
	"GET / [] "),
    V("an offer of websocket with a body",
	POST "Connection: Upgrade\r\nUpgrade: websocket\r\n"
	     "Content-Length: 2\r\n\r\nhi",
	"POST / [hi] "),
    V("bytes above 0x7f in a value", GET "X: gr\xc3\xbc\xc3\x9f\r\n\r\n", "GET / [] "),
    V("an empty value", GET "X:\r\n\r\n", "GET / [] "),
    V("100-continue", POST "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\na", "POST / [a] "),
    V("half a head", GET, "..."),
    V("half a body", POST "Content-Length: 5\r\n\r\nhel", "..."),
    V("host of IPv6", "GET / HTTP/1.1\r\nHost: [::1]:8700\r\n\r\n", "GET / [] "),

    /* two lengths, or two ways to say them */
    V("two different Content-Length", POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
	"400"),
    V("two equal Content-Length", POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
	"400"),
    V("a list as Content-Length", POST "Content-Length: 5, 5\r\n\r\nhello", "400"),
    V("CL.TE", POST "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG", "400"),
    V("TE.CL", POST "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n" EVIL, "400"),
    V("TE.TE, the second unknown",
	POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n"
	     "0\r\n\r\n",
	"400"),
    V("TE.TE, equal",
	POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"
	     "0\r\n\r\n",
	"400"),
    V("xchunked", POST "Transfer-Encoding: xchunked\r\n\r\n" EVIL, "400"),
    V("identity", POST "Transfer-Encoding: identity\r\nContent-Length: 1\r\n\r\na", "400"),
    V("chunked, identity", POST "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", "400"),
    V("chunked twice in a list", POST "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
	"400"),
    V("gzip, chunked", POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501"),
    V("chunked with a comma", POST "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n", "400"),
    V("chunked with a parameter", POST "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n", "400"),
    V("chunked in quotes", POST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", "400"),
    V("chunked behind a vertical tab", POST "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n", "400"),
    V("an empty Transfer-Encoding", POST "Transfer-Encoding:\r\nContent-Length: 1\r\n\r\na", "400"),
    V("Transfer-Encoding in HTTP/1.0",
	"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"),
    V("blank before the colon", POST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", "400"),
    V("tab before the colon", POST "Content-Length\t: 5\r\n\r\nhello", "400"),
    V("NUL before the colon", POST "Transfer-Encoding\0: chunked\r\n\r\n0\r\n\r\n", "400"),
    V("Content-Length with a plus", POST "Content-Length: +2\r\n\r\nab", "400"),
    V("Content-Length with a minus", POST "Content-Length: -1\r\n\r\n", "400"),
    V("Content-Length in hex", POST "Content-Length: 0x2\r\n\r\nab", "400"),
    V("Content-Length with a blank in it", POST "Content-Length: 1 2\r\n\r\nab", "400"),
    V("Content-Length with a point", POST "Content-Length: 2.0\r\n\r\nab", "400"),
    V("Content-Length beyond 64 bits", POST "Content-Length: 18446744073709551618\r\n\r\nab",
	"400"),
    V("an empty Content-Length", POST "Content-Length:\r\n\r\n", "400"),
    V("an underscore for the hyphen", POST "Content_Length: 5\r\n\r\n", "POST / [] "),

    /* ends of lines */
    V("bare CR in a value", GET "X: a\rTransfer-Encoding: chunked\r\n\r\n", "400"),
    V("bare CR before the colon", GET "X\r: a\r\n\r\n", "400"),
    V("CR CR LF", GET "X: a\r\r\n\r\n", "400"),
    V("LF only", "GET / HTTP/1.1\nHost: a\n\n", "400"),
    V("LF behind a header line", GET "X: a\nY: b\r\n\r\n", "400"),
    V("LF at the end of the head", GET "\n", "400"),
    V("CR LF CR X as the end", GET "\r" EVIL, "400"),
    V("folded line", GET "X: a\r\n b\r\n\r\n", "400"),
    V("line led by a tab", GET "\tX: a\r\n\r\n", "400"),
    V("blank before the first line", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    V("two empty lines in front", "\r\n\r\n" GET "\r\n", "400"),
    V("NUL in a value", GET "X: a\0b\r\n\r\n", "400"),
    V("NUL in a name", GET "X\0Y: a\r\n\r\n", "400"),
    V("escape in a value", GET "X: \x1b[2J\r\n\r\n", "400"),
    V("DEL in a value", GET "X: a\x7f\r\n\r\n", "400"),
    V("vertical tab for a blank", "GET\v/ HTTP/1.1\r\nHost: a\r\n\r\n", "400"),

    /* header lines */
    V("no colon", GET "X\r\n\r\n", "400"),
    V("no name", GET ": a\r\n\r\n", "400"),
    V("a name in parentheses", GET "(X): a\r\n\r\n", "400"),
    V("a name above 0x7f", GET "\xc5\xbf: a\r\n\r\n", "400"),
    V("no Host", "GET / HTTP/1.1\r\n\r\n", "400"),
    V("no Host in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", "400"),
    V("two Hosts", GET "Host: b\r\n\r\n", "400"),
    V("two equal Hosts", GET "host: a\r\n\r\n", "400"),
    V("an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "400"),
    V("a Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400"),
    V("a Host with a user", "GET / HTTP/1.1\r\nHost: b@a\r\n\r\n", "400"),
    V("a Host with a wrong port", "GET / HTTP/1.1\r\nHost: a:8o\r\n\r\n", "400"),
    V("two Hosts in one", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "400"),
    V("two credentials", GET "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n", "400"),
    V("two origins", GET "Origin: http://a\r\norigin: http://b\r\n\r\n", "400"),
    V("announced trailer", POST "Transfer-Encoding: chunked\r\nTrailer: X\r\n\r\n0\r\n\r\n", "400"),
    V("another expectation", POST "Expect: 200-ok\r\nContent-Length: 1\r\n\r\na", "417"),

    /* request lines */
    V("no version", "GET /\r\nHost: a\r\n\r\n", "400"),
    V("two blanks", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    V("a blank in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    V("a blank behind the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "400"),
    V("a small version", "GET / http/1.1\r\nHost: a\r\n\r\n", "400"),
    V("HTTP/1.10", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", "400"),
    V("HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", "505"),
    V("HTTP/0.9 in words", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", "505"),
    V("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"),
    V("TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "400"),
    V("a small method", "get / HTTP/1.1\r\nHost: a\r\n\r\n", "501"),
    V("TRACE", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", "501"),
    V("CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n" EVIL, "501"),
    V("a method that is no token", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    V("a response", "HTTP/1.1 200 OK\r\nHost: a\r\n\r\n", "400"),
    V("no path", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    V("* for GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    V("another host in the target", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    V("a user in the target", "GET http://a@b/ HTTP/1.1\r\nHost: b\r\n\r\n", "400"),
    V("another scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    V("a fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    V("half an escape", "GET /%4 HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    V("bytes above 0x7f in the target", "GET /\xc3\xbc HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    V("a backslash in the target", "GET /a\\..\\b HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    V("a quote in the query", "GET /?\"> HTTP/1.1\r\nHost: a\r\n\r\n", "400"),

    /* chunks */
    V("LF-only chunk size", CHUNK "5\nhello\r\n0\r\n\r\n", "400"),
    V("LF-only chunk end", CHUNK "5\r\nhello\n0\r\n\r\n", "400"),
    V("bare CR behind a size", CHUNK "5\rXhello\r\n0\r\n\r\n", "400"),
    V("chunk longer than it says", CHUNK "5\r\nhello!\r\n0\r\n\r\n", "400"),
    V("chunk size with 0x", CHUNK "0x5\r\nhello\r\n0\r\n\r\n", "400"),
    V("chunk size with a blank", CHUNK "5 \r\nhello\r\n0\r\n\r\n", "400"),
    V("chunk size with a plus", CHUNK "+5\r\nhello\r\n0\r\n\r\n", "400"),
    V("chunk size below zero", CHUNK "-1\r\nhello\r\n0\r\n\r\n", "400"),
    V("no chunk size", CHUNK "\r\nhello\r\n0\r\n\r\n", "400"),
    V("chunk size beyond 64 bits", CHUNK "10000000000000005\r\nhello\r\n0\r\n\r\n", "400"),
    V("chunk extension", CHUNK "5;a=b\r\nhello\r\n0\r\n\r\n", "400"),
    V("chunk extension with LF", CHUNK "5;\nhello\r\n0\r\n\r\n", "400"),
    V("trailer field", CHUNK "5\r\nhello\r\n0\r\nX: y\r\n\r\n", "400"),
    V("a request as trailer", CHUNK "0\r\n" EVIL, "400"),
    V("last chunk without its end", CHUNK "0\r\n", "..."),
    V("LF at the end of chunks", CHUNK "0\r\n\n", "400"),
};
#define VECTORS (sizeof(vectors) / sizeof(vectors[0]))

#endif
