/* Broken server:, principals:, tenants: and approvals:. */
#ifndef CALLGATE_TESTS_POLICY_BROKEN_SERVER_H
#define CALLGATE_TESTS_POLICY_BROKEN_SERVER_H

#include "tests/unit/policy/broken.h"

static const struct broken broken_http[] = {
    {"server: {listen: localhost}",
	"p.yaml:1:18: server.listen: 'localhost' is not an address; write one such "
	"as 127.0.0.1 or ::1, or the path of a socket"},
    {"server: {listen: 127.0.0.1:80}",
	"p.yaml:1:18: server.listen: '127.0.0.1:80' is not an address; write one "
	"such as 127.0.0.1 or ::1, or the path of a socket"},
    {"server: {listen: 300.1.1.1}",
	"p.yaml:1:18: server.listen: '300.1.1.1' is not an address; write one such "
	"as 127.0.0.1 or ::1, or the path of a socket"},
    {"server: {listen: [a]}", "p.yaml:1:18: server.listen: is a list; write text"},
    {"server: {port: 0}", "p.yaml:1:16: server.port: '0' is out of range; choose 1 to 65535"},
    {"server: {port: 65536}",
	"p.yaml:1:16: server.port: '65536' is out of range; choose 1 to 65535"},
    {"server: {port: \"8080\"}",
	"p.yaml:1:16: server.port: '8080' is not a plain decimal number; write "
	"digits without quotes"},
    {"server: {port: http}",
	"p.yaml:1:16: server.port: 'http' is not a plain decimal number; write "
	"digits without quotes"},
    {"server: {max_upload_bytes: 1}",
	"p.yaml:1:28: server.max_upload_bytes: '1' is out of range; choose 1KiB to "
	"1GiB"},
    {"server: {max_upload_bytes: 2GiB}",
	"p.yaml:1:28: server.max_upload_bytes: '2GiB' is out of range; choose 1KiB "
	"to 1GiB"},
    {"server: {max_upload_bytes: lots}",
	"p.yaml:1:28: server.max_upload_bytes: 'lots' is not a size; write a whole "
	"number and KiB, MiB or GiB, as in 64MiB"},
    {"server: {trusted_proxies: 127.0.0.1}",
	"p.yaml:1:27: server.trusted_proxies: is not a list; write [one, two]"},
    {"server: {trusted_proxies: [proxy.example]}",
	"p.yaml:1:28: server.trusted_proxies[0]: 'proxy.example' is not a network; "
	"write one such as 10.0.0.0/8 or fd00::/8"},
    {"server: {trusted_proxies: [UNIX]}",
	"p.yaml:1:28: server.trusted_proxies[0]: 'UNIX' is not a network; "
	"write one such as 10.0.0.0/8 or fd00::/8"},
    {"server: {ip_allowlist: [unix]}",
	"p.yaml:1:25: server.ip_allowlist[0]: 'unix' is not a network; "
	"write one such as 10.0.0.0/8 or fd00::/8"},
    {"server: {trusted_proxies: [10.0.0.0/33]}",
	"p.yaml:1:28: server.trusted_proxies[0]: '10.0.0.0/33' is not a network; "
	"write one such as 10.0.0.0/8 or fd00::/8"},
    {"server: {trusted_proxies: [10.0.0.1/8]}",
	"p.yaml:1:28: server.trusted_proxies[0]: '10.0.0.1/8' has bits set beyond "
	"its prefix; write the network's first address"},
    {"server: {ip_allowlist: [\"fd00::1/8\"]}",
	"p.yaml:1:25: server.ip_allowlist[0]: 'fd00::1/8' has bits set beyond its "
	"prefix; write the network's first address"},
    {"server: {ip_allowlist: [\"fd00::/129\"]}",
	"p.yaml:1:25: server.ip_allowlist[0]: 'fd00::/129' is not a network; write "
	"one such as 10.0.0.0/8 or fd00::/8"},
    {"server: {ip_allowlist: [10.0.0.0/]}",
	"p.yaml:1:25: server.ip_allowlist[0]: '10.0.0.0/' is not a network; write "
	"one such as 10.0.0.0/8 or fd00::/8"},
    {"server: {ip_allowlist: [10.0.0.0/08]}",
	"p.yaml:1:25: server.ip_allowlist[0]: '10.0.0.0/08' is not a network; write "
	"one such as 10.0.0.0/8 or fd00::/8"},
    {"server: {auth: {ip_allowlist: [everyone]}}",
	"p.yaml:1:32: server.auth.ip_allowlist[0]: 'everyone' is not a network; "
	"write one such as 10.0.0.0/8 or fd00::/8"},
    {"server: {listen: run/}",
	"p.yaml:1:18: server.listen: 'run/' is a folder; name the socket in it"},
    {"server: {listen: run/http.sock, port: 80}",
	"p.yaml:1:33: server.port: belongs to an address, and listen is a path; remove "
	"one of them"},
    {"server: {listen: 0.0.0.0, port: 80}",
	"p.yaml:1:10: server.listen: lets in everybody who reaches this address, since "
	"no credential is looked at; write server.auth.enabled: true, or "
	"server.auth.require_auth: false if that is meant"},
    {"server: {listen: \"::\", port: 80, auth: {enabled: false}}",
	"p.yaml:1:10: server.listen: lets in everybody who reaches this address, since "
	"no credential is looked at; write server.auth.enabled: true, or "
	"server.auth.require_auth: false if that is meant"},
    {"server: {listen: \"::ffff:10.0.0.1\", port: 80}",
	"p.yaml:1:10: server.listen: lets in everybody who reaches this address, since "
	"no credential is looked at; write server.auth.enabled: true, or "
	"server.auth.require_auth: false if that is meant"},
    {"server: {url: gate.example}",
	"p.yaml:1:15: server.url: 'gate.example' is not the address of a site; write "
	"https://host[:port] without a path or a last slash"},
    {"server: {url: \"https://gate.example/\"}",
	"p.yaml:1:15: server.url: 'https://gate.example/' is not the address of a "
	"site; write https://host[:port] without a path or a last slash"},
    {"server: {url: \"https://gate.example/path\"}",
	"p.yaml:1:15: server.url: 'https://gate.example/path' is not the address of a "
	"site; write https://host[:port] without a path or a last slash"},
    {"server: {url: \"http://gate.example\"}",
	"p.yaml:1:15: server.url: 'http://gate.example' is not safe: credentials would "
	"cross the network in the clear; write https:// (http:// only for localhost)"},
    {"server: {url: \"https://u@gate.example\"}",
	"p.yaml:1:15: server.url: 'https://u@gate.example' is not the address of a "
	"site; write https://host[:port] without a path or a last slash"},
    {"server: {url: \"https://gate.example?x\"}",
	"p.yaml:1:15: server.url: 'https://gate.example?x' is not the address of a "
	"site; write https://host[:port] without a path or a last slash"},
    {"server: {hosts: [\"gate.example:443\"]}",
	"p.yaml:1:18: server.hosts[0]: 'gate.example:443' is not a host's name; write "
	"one such as gate.example"},
    {"server: {hosts: [\"*.example\"]}",
	"p.yaml:1:18: server.hosts[0]: '*.example' is not a host's name; write one "
	"such as gate.example"},
    {"server: {hosts: [\"\"]}",
	"p.yaml:1:18: server.hosts[0]: is empty; write text or remove the key"},
    {"server: {outgoing: {networks: [10.0.0.1/8]}}",
	"p.yaml:1:32: server.outgoing.networks[0]: '10.0.0.1/8' has bits set beyond "
	"its prefix; write the network's first address"},
    {"server: {outgoing: {ca: 1}}",
	"p.yaml:1:25: server.outgoing.ca: is a number, not text; put it in quotes"},
    {"server: {outgoing: {proxy: x}}",
	"p.yaml:1:21: server.outgoing.proxy: unknown key; remove it, callgate.yaml(5) "
	"lists the keys"},
    {"server: {auth: {algorithms: [HS256]}}",
	"p.yaml:1:30: server.auth.algorithms[0]: 'HS256' proves nothing: with public "
	"keys anybody can make such a token; choose RS256, PS256, ES256 or EdDSA"},
    {"server: {auth: {algorithms: [none]}}",
	"p.yaml:1:30: server.auth.algorithms[0]: 'none' proves nothing: with public "
	"keys anybody can make such a token; choose RS256, PS256, ES256 or EdDSA"},
    {"server: {auth: {algorithms: [RS1]}}",
	"p.yaml:1:30: server.auth.algorithms[0]: 'RS1' is not an algorithm that is "
	"read; choose RS, PS or ES with 256, 384 or 512, or EdDSA"},
    {"server: {auth: {algorithms: [ES256K]}}",
	"p.yaml:1:30: server.auth.algorithms[0]: 'ES256K' is not an algorithm that is "
	"read; choose RS, PS or ES with 256, 384 or 512, or EdDSA"},
    {"server: {auth: {algorithms: [eddsa]}}",
	"p.yaml:1:30: server.auth.algorithms[0]: 'eddsa' is not an algorithm that is "
	"read; choose RS, PS or ES with 256, 384 or 512, or EdDSA"},
    {"server: {auth: {algorithms: []}}",
	"p.yaml:1:29: server.auth.algorithms: accepts no token; name one, or remove "
	"the key for the default"},
    {"server: {auth: {algorithms: RS256}}",
	"p.yaml:1:29: server.auth.algorithms: is not a list; write [one, two]"},
    {"server: {auth: {keep_keys: 1s}}",
	"p.yaml:1:28: server.auth.keep_keys: '1s' is out of range; choose 10s to 30d"},
    {"server: {auth: {keep_keys: 31d}}",
	"p.yaml:1:28: server.auth.keep_keys: '31d' is out of range; choose 10s to 30d"},
    {"server: {auth: {keep_keys: 10m}}",
	"p.yaml:1:17: server.auth.keep_keys: is shorter than refresh_interval, so keys "
	"would be dropped before they are fetched again; raise it"},
    {"server: {auth: {refresh_interval: 2h, keep_keys: 1h}}",
	"p.yaml:1:39: server.auth.keep_keys: is shorter than refresh_interval, so keys "
	"would be dropped before they are fetched again; raise it"},
    {"server: {studio: {enabled: true}}",
	"p.yaml:1:1: server.studio.roles: there is no role 'operator'; define it under "
	"roles: or remove it"},
    {"server: {auth: true}", "p.yaml:1:16: server.auth: is not a mapping; write key: value"},
    {"server: {auth: {enable: true}}",
	"p.yaml:1:17: server.auth.enable: unknown key; did you mean enabled?"},
    {"server: {auth: {enabled: yes}}",
	"p.yaml:1:26: server.auth.enabled: 'yes' is not a truth value; write true or "
	"false"},
    {"server: {auth: {enabled: true, jwks_url: https://a.example/j}}",
	"p.yaml:1:32: server.auth.jwks_url: is not enough to judge a token; give "
	"jwks_url, issuer and audience, or none of them"},
    {"server: {auth: {enabled: true, issuer: https://a.example/}}",
	"p.yaml:1:32: server.auth.issuer: is not enough to judge a token; give "
	"jwks_url, issuer and audience, or none of them"},
    {"server: {auth: {enabled: true, audience: x, issuer: https://a.example/}}",
	"p.yaml:1:32: server.auth.audience: is not enough to judge a token; give "
	"jwks_url, issuer and audience, or none of them"},
    {"server: {auth: {enabled: true, jwks_url: http://a.example/j, issuer: x, "
     "audience: x}}",
	"p.yaml:1:42: server.auth.jwks_url: 'http://a.example/j' is not fetched "
	"safely; write https:// (http:// only for localhost)"},
    {"server: {auth: {jwks_url: a.example}}",
	"p.yaml:1:27: server.auth.jwks_url: 'a.example' is not a URL; write "
	"https://host/path without blanks, @ and #"},
    {"server: {auth: {jwks_url: \"https://user:pw@a.example/\"}}",
	"p.yaml:1:27: server.auth.jwks_url: 'https://user:pw@a.example/' is not a "
	"URL; write https://host/path without blanks, @ and #"},
    {"server: {auth: {jwks_url: \"https://a.example/#x\"}}",
	"p.yaml:1:27: server.auth.jwks_url: 'https://a.example/#x' is not a URL; "
	"write https://host/path without blanks, @ and #"},
    {"server: {auth: {jwks_url: \"https://a.example:99999/\"}}",
	"p.yaml:1:27: server.auth.jwks_url: 'https://a.example:99999/' is not a URL; "
	"write https://host/path without blanks, @ and #"},
    {"server: {auth: {jwks_url: \"https:///x\"}}",
	"p.yaml:1:27: server.auth.jwks_url: 'https:///x' is not a URL; write "
	"https://host/path without blanks, @ and #"},
    {"server: {auth: {jwks_url: \"http://localhost.evil.example/\"}}",
	"p.yaml:1:27: server.auth.jwks_url: 'http://localhost.evil.example/' is not "
	"fetched safely; write https:// (http:// only for localhost)"},
    {"server: {auth: {issuer: 7}}",
	"p.yaml:1:25: server.auth.issuer: is a number, not text; put it in quotes"},
    {"server: {auth: {require_auth: true}}",
	"p.yaml:1:10: server.auth.require_auth: looks at no credential; write "
	"enabled: true beside it"},
    {"server: {auth: {enabled: false, require_auth: true}}",
	"p.yaml:1:10: server.auth.require_auth: looks at no credential; write "
	"enabled: true beside it"},
    {"server: {auth: {refresh_interval: 1s}}",
	"p.yaml:1:35: server.auth.refresh_interval: '1s' is out of range; choose 10s "
	"to 7d"},
    {"server: {auth: {refresh_interval: often}}",
	"p.yaml:1:35: server.auth.refresh_interval: 'often' is not a time; write a "
	"whole number and ms, s, m, h or d, as in 30s"},
    {"server: {auth: {excluded_paths: [health]}}",
	"p.yaml:1:34: server.auth.excluded_paths[0]: 'health' is not a plain path; "
	"write one such as /health, matched whole"},
    {"server: {auth: {excluded_paths: [\"/*\"]}}",
	"p.yaml:1:34: server.auth.excluded_paths[0]: '/*' is not a plain path; write "
	"one such as /health, matched whole"},
    {"server: {auth: {excluded_paths: [/a/../b]}}",
	"p.yaml:1:34: server.auth.excluded_paths[0]: '/a/../b' is not a plain path; "
	"write one such as /health, matched whole"},
    {"server: {auth: {excluded_paths: /health}}",
	"p.yaml:1:33: server.auth.excluded_paths: is not a list; write [one, two]"},
    {"server: {auth: {api_keys: [key-abc123]}}",
	"p.yaml:1:28: server.auth.api_keys[0]: holds a key itself; write \"${NAME}\" "
	"and set NAME in the environment or in .env"},
    {"server: {auth: {api_keys: [\"${SHORT}\"]}}",
	"p.yaml:1:28: server.auth.api_keys[0]: the value of ${SHORT} is shorter than "
	"32 characters; make one with openssl rand -hex 32"},
    {"server: {auth: {api_keys: [\"x${KEY}\"]}}",
	"p.yaml:1:28: server.auth.api_keys[0]: holds a key itself; write \"${NAME}\" "
	"and set NAME in the environment or in .env"},
    {"server: {auth: {api_keys: ['${KEY}']}}",
	"p.yaml:1:28: server.auth.api_keys[0]: holds a key itself; write \"${NAME}\" "
	"and set NAME in the environment or in .env"},
    {"server: {auth: {api_keys: [\"${NOPE}\"]}}",
	"p.yaml:1:28: server.auth.api_keys[0]: ${NOPE} is not set; set it in the "
	"environment or in .env"},
    {"server: {auth: {api_keys: \"${KEY}\"}}",
	"p.yaml:1:27: server.auth.api_keys: is not a list; write [\"${API_KEY_1}\"]"},
    {"server: {auth: {api_keys: [[a]]}}",
	"p.yaml:1:28: server.auth.api_keys[0]: holds a key itself; write \"${NAME}\" "
	"and set NAME in the environment or in .env"},
    {"server: {auth: {service_key_env: \"a b\"}}",
	"p.yaml:1:34: server.auth.service_key_env: 'a b' is not a variable's name; "
	"use letters, digits and _, no digit first"},
    {"server: {auth: {service_key_env: \"${SECRET}!\"}}",
	"p.yaml:1:34: server.auth.service_key_env: '${SECRET}!' is not a variable's "
	"name; use letters, digits and _, no digit first"},
    {"server: {cors: []}", "p.yaml:1:16: server.cors: is not a mapping; write key: value"},
    {"server: {cors: {allowed_origins: [https://a.example/]}}",
	"p.yaml:1:35: server.cors.allowed_origins[0]: 'https://a.example/' is not an "
	"origin; write scheme://host[:port] without a path, or *"},
    {"server: {cors: {allowed_origins: [a.example]}}",
	"p.yaml:1:35: server.cors.allowed_origins[0]: 'a.example' is not an origin; "
	"write scheme://host[:port] without a path, or *"},
    {"server: {cors: {allowed_origins: [\"https://*.example\"]}}",
	"p.yaml:1:35: server.cors.allowed_origins[0]: 'https://*.example' is not an "
	"origin; write scheme://host[:port] without a path, or *"},
    {"server: {cors: {allowed_origins: \"*\"}}",
	"p.yaml:1:34: server.cors.allowed_origins: is not a list; write [one, two]"},
    {"server: {cors: {allowed_methods: [get]}}",
	"p.yaml:1:35: server.cors.allowed_methods[0]: 'get' is not a method of HTTP; "
	"choose from GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"},
    {"server: {cors: {allowed_headers: [\"A B\"]}}",
	"p.yaml:1:35: server.cors.allowed_headers[0]: 'A B' is not a header's name; "
	"use letters, digits and -"},
    {"server: {cors: {allowed_headers: [\"*\"]}}",
	"p.yaml:1:35: server.cors.allowed_headers[0]: '*' is not a header's name; "
	"use letters, digits and -"},
    {"server: {cors: {max_age: 1d}}",
	"p.yaml:1:26: server.cors.max_age: '1d' is not a plain decimal number; write "
	"digits without quotes"},
    {"server: {cors: {max_age: 604801}}",
	"p.yaml:1:26: server.cors.max_age: '604801' is out of range; choose 0 to "
	"604800"},
    {"server: {cors: {origins: []}}",
	"p.yaml:1:17: server.cors.origins: unknown key; remove it, callgate.yaml(5) "
	"lists the keys"},
    {"server: {rate_limiting: {requests_per_minute: 0}}",
	"p.yaml:1:47: server.rate_limiting.requests_per_minute: '0' is out of range; "
	"choose 1 to 1000000"},
    {"server: {rate_limiting: {burst: 0}}",
	"p.yaml:1:33: server.rate_limiting.burst: '0' is out of range; choose 1 to "
	"100000"},
    {"server: {rate_limiting: {per_user: 1}}",
	"p.yaml:1:36: server.rate_limiting.per_user: '1' is not a truth value; write "
	"true or false"},
    {"server: {rate_limiting: {rpm: 5}}",
	"p.yaml:1:26: server.rate_limiting.rpm: unknown key; remove it, "
	"callgate.yaml(5) lists the keys"},
    {"server: {rate_limiting: 60}",
	"p.yaml:1:25: server.rate_limiting: is not a mapping; write key: value"},
    {"server: {studio: {enabled: 1}}",
	"p.yaml:1:28: server.studio.enabled: '1' is not a truth value; write true or "
	"false"},
    {"server: {studio: {roles: [nobody]}}",
	"p.yaml:1:27: server.studio.roles: there is no role 'nobody'; define it "
	"under roles: or remove it"},
    {"server: {studio: {roles: operator}}",
	"p.yaml:1:26: server.studio.roles: is not a list; write [one, two]"},
    {"server: {studio: true}", "p.yaml:1:18: server.studio: is not a mapping; write key: value"},
    {"server: {tls: {cert: a}}",
	"p.yaml:1:10: server.tls: is half a certificate; give cert and key"},
    {"server: {tls: {key: a}}",
	"p.yaml:1:10: server.tls: is half a certificate; give cert and key"},
    {"server: {tls: {client_ca: a}}",
	"p.yaml:1:10: server.tls.client_ca: judges nobody without cert and key; give "
	"them"},
    {"server: {tls: {cert: a, key: b, require_client_cert: true}}",
	"p.yaml:1:10: server.tls.require_client_cert: can judge no certificate; give "
	"client_ca"},
    {"server: {tls: {certificate: a}}",
	"p.yaml:1:16: server.tls.certificate: unknown key; remove it, "
	"callgate.yaml(5) lists the keys"},
    {"server: {observability: {metrics: true}}",
	"p.yaml:1:35: server.observability.metrics: is not a mapping; write key: "
	"value"},
    {"server: {observability: {tracing: {endpoint: collector}}}",
	"p.yaml:1:46: server.observability.tracing.endpoint: 'collector' is not "
	"host:port; write one such as localhost:4318"},
    {"server: {observability: {tracing: {endpoint: \"http://c:4317\"}}}",
	"p.yaml:1:46: server.observability.tracing.endpoint: 'http://c:4317' is not "
	"host:port; write one such as localhost:4318"},
    {"server: {observability: {tracing: {endpoint: \"c:0\"}}}",
	"p.yaml:1:46: server.observability.tracing.endpoint: 'c:0' is not host:port; "
	"write one such as localhost:4318"},
    {"server: {observability: {logs: {}}}",
	"p.yaml:1:26: server.observability.logs: unknown key; remove it, "
	"callgate.yaml(5) lists the keys"},
};

static const struct broken broken_principals[] = {
    {"principals: [{roles: []}]",
	"p.yaml:1:14: principals[0]: matches nobody in particular; give peer_uid, "
	"peer_gid, jwt, client_cert, api_key or anonymous"},
    {"principals: [{jwt: {claim: a}}]",
	"p.yaml:1:20: principals[0].jwt: is half a matcher; write {claim: role, "
	"value: operator}"},
    {"principals: [{jwt: {value: a}}]",
	"p.yaml:1:20: principals[0].jwt: is half a matcher; write {claim: role, "
	"value: operator}"},
    {"principals: [{jwt: {}}]",
	"p.yaml:1:14: principals[0]: matches nobody in particular; give peer_uid, "
	"peer_gid, jwt, client_cert, api_key or anonymous"},
    {"principals: [{jwt: role}]",
	"p.yaml:1:20: principals[0].jwt: is not a mapping; write key: value"},
    {"principals: [{jwt: {claims: a}}]",
	"p.yaml:1:21: principals[0].jwt.claims: unknown key; did you mean claim?"},
    {"principals: [{client_cert: {}}]",
	"p.yaml:1:14: principals[0]: matches nobody in particular; give peer_uid, "
	"peer_gid, jwt, client_cert, api_key or anonymous"},
    {"principals: [{client_cert: {san: 1}}]",
	"p.yaml:1:34: principals[0].client_cert.san: is a number, not text; put it "
	"in quotes"},
    {"principals: [{client_cert: x}]",
	"p.yaml:1:28: principals[0].client_cert: is not a mapping; write key: value"},
    {"principals: [{api_key: A B}]",
	"p.yaml:1:24: principals[0].api_key: 'A B' is not a name; use 1 to 255 "
	"letters, digits, _ and -"},
    {"principals: [{api_key: [A]}]", "p.yaml:1:24: principals[0].api_key: is a list; write text"},
    {"principals: [{anonymous: false}]",
	"p.yaml:1:14: principals[0]: matches nobody in particular; give peer_uid, "
	"peer_gid, jwt, client_cert, api_key or anonymous"},
    {"principals: [{anonymous: 1}]",
	"p.yaml:1:26: principals[0].anonymous: '1' is not a truth value; write true "
	"or false"},
    {"principals: [{anonymous: true, api_key: A}]",
	"p.yaml:1:15: principals[0].anonymous: together with another matcher matches "
	"nobody; keep one of them"},
    {"principals: [{anonymous: true, peer_uid: 1}]",
	"p.yaml:1:15: principals[0].anonymous: together with another matcher matches "
	"nobody; keep one of them"},
    {"principals: [{peer_gid: 1, anonymous: true, jwt: {claim: a, value: b}}]",
	"p.yaml:1:28: principals[0].anonymous: together with another matcher matches "
	"nobody; keep one of them"},
    {"server: {auth: {enabled: true}}\nprincipals: [{anonymous: true}]",
	"p.yaml:2:14: principals[0].anonymous: nobody comes in without a credential; "
	"write server.auth.require_auth: false"},
};

static const struct broken broken_tenants[] = {
    {"tenants: []", "p.yaml:1:10: tenants: is not a mapping; write name: {key: value}"},
    {"tenants: {a: {}}", "p.yaml:1:11: tenants.a.namespaces: has no namespace; name those that are "
			 "this tenant's"},
    {"tenants: {\"a b\": {}}",
	"p.yaml:1:11: tenants: 'a b' is not a name; use 1 to 255 letters, digits, _ "
	"and -"},
    {"tenants: {a: {namespaces: [x]}}",
	"p.yaml:1:28: tenants.a.namespaces[0]: there is no namespace 'x'; define it "
	"under namespaces: or remove it"},
    {"tenants: {a: {namespaces: [default]}, b: {namespaces: [default]}}",
	"p.yaml:1:56: tenants.b.namespaces[0]: 'default' is tenant a's already; a "
	"namespace has one tenant"},
    {"tenants: {a: {namespaces: [defualt]}}",
	"p.yaml:1:28: tenants.a.namespaces[0]: there is no namespace 'defualt'; did "
	"you mean default?"},
    {"tenants: {a: {namespaces: [default], rate_limiting: {requests_per_minute: 0}}}",
	"p.yaml:1:75: tenants.a.rate_limiting.requests_per_minute: '0' is out of "
	"range; choose 1 to 1000000"},
    {"tenants: {a: {namespaces: [default], rate_limiting: {enabled: true}}}",
	"p.yaml:1:54: tenants.a.rate_limiting.enabled: unknown key; remove it, "
	"callgate.yaml(5) lists the keys"},
    {"tenants: {a: {namespaces: [default], quota: 1}}",
	"p.yaml:1:38: tenants.a.quota: unknown key; remove it, callgate.yaml(5) "
	"lists the keys"},
    {"tenants: {a: 1}", "p.yaml:1:14: tenants.a: is not a mapping; write key: value"},
};

static const struct broken broken_approvals[] = {
    {"server: {auth: {enabled: true, service_key_env: SVC}}\n"
     "tools: {t: {type: command, allowed_commands: [ls], env: {X: {api_key_env: SVC}}}}",
	"p.yaml:2:58: tools.t.env.X: names the service key, which nobody else may have; give it "
	"a variable of its own"},
    {"server: {auth: {enabled: true, service_key_env: SVC}}\n"
     "approvals: {channels: {c: {type: ntfy, url: \"https://n.example/t\", secret_env: SVC}}}",
	"p.yaml:2:24: approvals.channels.c: names the service key, which nobody else may have; "
	"give it a variable of its own"},
    {"approvals: {channels: {c: {type: ntfy, url: \"https://n.example/t\", secret_env: OPS}}}\n"
     "tools: {t: {type: command, allowed_commands: [ls], env: {X: {api_key_env: OPS}}}}",
	"p.yaml:2:58: tools.t.env.X: names the secret of a channel, which nobody else may have; "
	"give it a variable of its own"},
    {"approvals: {quorum: two}",
	"p.yaml:1:21: approvals.quorum: 'two' is not a plain decimal number; write "
	"digits without quotes"},
    {"approvals: {quorum: 0}",
	"p.yaml:1:21: approvals.quorum: '0' is out of range; choose 1 to 16"},
    {"approvals: {grants: {}}",
	"p.yaml:1:21: approvals.grants: is not a list of grants; write [once, "
	"session]"},
    {"approvals: {grants: [always, never]}",
	"p.yaml:1:30: approvals.grants[1]: 'never' is not one of its values; choose "
	"from once, session, always"},
    {"approvals: {max_grant_ttl: 100d}",
	"p.yaml:1:28: approvals.max_grant_ttl: '100d' is out of range; choose 1s to "
	"90d"},
    {"approvals: {editable: all}",
	"p.yaml:1:23: approvals.editable: is not a list; write [one, two]"},
    {"approvals: {editable: [\"{a}\"]}",
	"p.yaml:1:24: approvals.editable[0]: '{a}' cannot name a parameter; use up "
	"to 127 bytes without { and }"},
    {"approvals: {by_client: client}",
	"p.yaml:1:24: approvals.by_client: 'client' is not a truth value; write true "
	"or false"},
    {"approvals: {reason_required: 1}",
	"p.yaml:1:30: approvals.reason_required: '1' is not a truth value; write "
	"true or false"},
    {"approvals: {escalate_after: 1m}",
	"p.yaml:1:13: approvals.escalate_after: has nobody to go on to; give "
	"approvals.channels one web hook at least, or remove it"},
    {"approvals: {escalate_after: 8d}",
	"p.yaml:1:29: approvals.escalate_after: '8d' is out of range; choose 0s to 7d"},
    {"approvals: {escalate_after: soon}",
	"p.yaml:1:29: approvals.escalate_after: 'soon' is not a time; write a whole "
	"number and ms, s, m, h or d, as in 30s"},
    {"approvals: {channels: []}",
	"p.yaml:1:23: approvals.channels: is not a mapping; write name: {key: value}"},
    {"approvals: {channels: {ops: {}}}",
	"p.yaml:1:29: approvals.channels.ops: has no type; write type: standard, "
	"github, slack, ntfy or json"},
    {"approvals: {channels: {ops: {type: teams}}}",
	"p.yaml:1:36: approvals.channels.ops.type: 'teams' is not one of its values; "
	"choose from standard, github, slack, ntfy, json"},
    {"approvals: {channels: {ops: {type: json}}}",
	"p.yaml:1:29: approvals.channels.ops: goes nowhere; give url, or url_env where "
	"the URL is a secret"},
    {"approvals: {channels: {ops: {type: json, url: \"https://a/\", url_env: A}}}",
	"p.yaml:1:61: approvals.channels.ops.url_env: stands beside url; keep one of "
	"them"},
    {"approvals: {channels: {ops: {type: json, url: \"http://a.example/\"}}}",
	"p.yaml:1:47: approvals.channels.ops.url: 'http://a.example/' is not fetched "
	"safely; write https:// (http:// only for localhost)"},
    {"approvals: {channels: {ops: {type: json, url: a.example}}}",
	"p.yaml:1:47: approvals.channels.ops.url: 'a.example' is not a URL; write "
	"https://host/path without blanks, @ and #"},
    {"approvals: {channels: {ops: {type: standard, url: \"https://a/\"}}}",
	"p.yaml:1:29: approvals.channels.ops: cannot sign what it sends or judge what "
	"comes back; give secret_env"},
    {"approvals: {channels: {ops: {type: github, url_env: A}}}",
	"p.yaml:1:29: approvals.channels.ops: cannot sign what it sends or judge what "
	"comes back; give secret_env"},
    {"approvals: {channels: {ops: {type: slack, url_env: A}}}",
	"p.yaml:1:29: approvals.channels.ops: cannot sign what it sends or judge what "
	"comes back; give secret_env"},
    {"approvals: {channels: {ops: {type: github, url: \"https://a/\", secret: "
     "topsecret}}}",
	"p.yaml:1:63: approvals.channels.ops.secret: holds a secret itself; write "
	"secret_env: NAME, and set NAME in the environment or in .env"},
    {"approvals: {channels: {ops: {type: github, url: \"https://a/\", secret_env: "
     "\"topsecret+/=\"}}}",
	"p.yaml:1:75: approvals.channels.ops.secret_env: is not a variable's name; "
	"write NAME, and set NAME in the environment or in .env"},
    {"approvals: {channels: {ops: {type: github, url: \"https://a/\", secret_env: "
     "whsec_topsecret}}}",
	"p.yaml:1:75: approvals.channels.ops.secret_env: is not a variable's name; "
	"write NAME, and set NAME in the environment or in .env"},
    {"approvals: {channels: {ops: {type: github, url: \"https://a/\", secret_env: "
     "\"${SECRET}!\"}}}",
	"p.yaml:1:75: approvals.channels.ops.secret_env: is not a variable's name; "
	"write NAME, and set NAME in the environment or in .env"},
    {"approvals: {channels: {ops: {type: json, url_env: \"https://topsecret/\"}}}",
	"p.yaml:1:51: approvals.channels.ops.url_env: is not a variable's name; write "
	"NAME, and set NAME in the environment or in .env"},
    {"approvals: {channels: {terminal: {type: json, url: \"https://a/\"}}}",
	"p.yaml:1:24: approvals.channels: 'terminal' is what people have at the "
	"machine itself; give the web hook another name"},
    {"approvals: {channels: {\"a b\": {type: json, url: \"https://a/\"}}}",
	"p.yaml:1:24: approvals.channels: 'a b' is not a name; use 1 to 255 letters, "
	"digits, _ and -"},
    {"approvals: {channels: {ops: {type: json, url: \"https://a/\", roles: [nobody]}}}",
	"p.yaml:1:69: approvals.channels.ops.roles[0]: there is no role 'nobody'; "
	"define it under roles: or remove it"},
    {"approvals: {channels: {ops: {type: json, url: \"https://a/\", namespaces: "
     "[nowhere]}}}",
	"p.yaml:1:74: approvals.channels.ops.namespaces[0]: there is no namespace "
	"'nowhere'; define it under namespaces: or remove it"},
    {"approvals: {channels: {ops: {type: json, url: \"https://a/\", token: x}}}",
	"p.yaml:1:61: approvals.channels.ops.token: unknown key; remove it, "
	"callgate.yaml(5) lists the keys"},
    {"tools: {t: {type: command, approval: {channels: []}}}",
	"p.yaml:1:49: tools.t.approval.channels: asks nobody; name a channel or "
	"terminal"},
    {"tools: {t: {type: command, approval: {channels: ops}}}",
	"p.yaml:1:49: tools.t.approval.channels: is not a list; write [one, two]"},
    {"tools: {t: {type: command, approval: {channels: [ops]}}}",
	"p.yaml:1:50: tools.t.approval.channels[0]: there is no channel 'ops'; define "
	"it under approvals.channels: or remove it"},
    {"tools: {t: {type: command, approval: {channels: [terminal, terminal]}}}",
	"p.yaml:1:60: tools.t.approval.channels[1]: 'terminal' is named twice; keep one"},
    {"tools: {t: {type: command, approval: {channels: [terminal], escalate_after: "
     "1m}}}",
	"p.yaml:1:61: tools.t.approval.escalate_after: has nobody to go on to; give "
	"approvals.channels one web hook at least, or remove it"},
    {"tools: {t: {type: command, approval: {escalate_after: 1m}}}",
	"p.yaml:1:39: tools.t.approval.escalate_after: has nobody to go on to; give "
	"approvals.channels one web hook at least, or remove it"},
    {"tools: {t: {type: command, approval: {channels: {ops: {}}}}}",
	"p.yaml:1:49: tools.t.approval.channels: is not a list; write [one, two]"},
};

#endif
