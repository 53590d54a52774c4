/*
 * The verifier and the issuer as a program, for tests beside other implementations.
 *
 *   tool make                      keys and tokens of ours, as JSON, for others to verify
 *   tool verify JWKS ISS AUD       a token a line on stdin -> "<verdict> <alg>" a line
 *   tool signatures JWKS           the same, signatures only; "-": each line is "JWKS<TAB>token"
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "supervisor/identity/token.h"
#include "tests/unit/identity/maker.h"

#define ISSUER   "https://gate.example/"
#define AUDIENCE "callgate"

static void put_own(struct buf *out, uint64_t now_s)
{
	static const uint8_t seed[KEY_LEN] = {42};
	const struct token_facts facts = {.issuer = ISSUER,
	    .audience = AUDIENCE,
	    .subject = "uid:1000",
	    .by = "uid:0",
	    .id = {1, 2, 3},
	    .now_s = now_s};
	struct token_grant has = {.max_calls = TOKEN_NO_LIMIT, .expires_s = TOKEN_NO_LIMIT};
	struct token_grant wants = {.max_calls = 5, .expires_s = now_s + 300};
	struct token_grant granted;
	struct token_signer signer;

	MAKER_NEED(scope_add_all(&has.scope) == 0);
	MAKER_NEED(scope_add(&wants.scope, SCOPE_TOOLS, "git_*") == 0);
	MAKER_NEED(token_signer_init(&signer, seed) == 0);
	(void)buf_textf(out, "\"own\":{\"kid\":\"%s\",\"jwks\":", signer.kid);
	MAKER_NEED(token_jwks(out, &signer.public_key, 1) == 0);
	(void)buf_text(out, ",\"token\":\"");
	MAKER_NEED(token_issue(out, &granted, &signer, &facts, &has, &wants) == 0);
	(void)buf_text(out, "\"}");
	token_grant_fini(&granted);
	token_grant_fini(&has);
	token_grant_fini(&wants);
}

static int make(void)
{
	EVP_PKEY *keys[JWK_ED25519 + 1];
	uint64_t now_s = (uint64_t)time(NULL);
	char header[128], payload[256];
	struct buf out;

	buf_init(&out, 1 << 20);
	(void)buf_text(
	    &out, "{\"issuer\":\"" ISSUER "\",\"audience\":\"" AUDIENCE "\",\"jwks\":{\"keys\":[");
	for (unsigned type = JWK_RSA; type <= JWK_ED25519; type++) {
		keys[type] = maker_key((enum jwk_type)type);
		(void)buf_textf(
		    &out, "%s{\"kid\":\"k%u\",\"use\":\"sig\",", type > JWK_RSA ? "," : "", type);
		maker_members(&out, keys[type], (enum jwk_type)type);
		(void)buf_text(&out, "}");
	}
	(void)buf_text(&out, "]},\"tokens\":[");
	for (unsigned alg = JWS_RS256; alg < JWS_ALG_END; alg++) {
		const struct algorithm *row = algorithm_of((enum jws_alg)alg);
		char *token;

		snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"typ\":\"JWT\",\"kid\":\"k%u\"}",
		    row->name, row->type);
		snprintf(payload, sizeof(payload),
		    "{\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE "\",\"sub\":\"x\",\"exp\":%llu}",
		    (unsigned long long)now_s + 300);
		token = maker_token(header, payload, keys[row->type], (enum jws_alg)alg);
		(void)buf_textf(&out, "%s{\"alg\":\"%s\",\"token\":\"%s\"}",
		    alg > JWS_RS256 ? "," : "", row->name, token);
		free(token);
	}
	(void)buf_text(&out, "],");
	put_own(&out, now_s);
	(void)buf_text(&out, "}");
	puts(buf_cstr(&out));
	for (unsigned type = JWK_RSA; type <= JWK_ED25519; type++)
		EVP_PKEY_free(keys[type]);
	buf_fini(&out);
	return 0;
}

static struct jwks *read_set(const char *path)
{
	struct jwks *set = NULL;
	struct err_note note = {""};
	struct buf skipped;
	char *text = malloc(JWKS_BYTES_MAX + 2);
	FILE *file = fopen(path, "re");
	size_t n;

	MAKER_NEED(file && text);
	n = fread(text, 1, JWKS_BYTES_MAX + 1, file);
	fclose(file);
	if (jwks_parse(&set, text, n, &note) < 0) {
		fprintf(stderr, "%s\n", note.text);
	} else {
		buf_init(&skipped, 1 << 16);
		MAKER_NEED(jwks_skipped(set, &skipped) == 0);
		if (skipped.len)
			fputs(buf_cstr(&skipped), stderr);
		buf_fini(&skipped);
	}
	free(text);
	return set;
}

static const char *alg_name(enum jws_alg alg)
{
	return alg == JWS_NO_ALG ? "-" : algorithm_of(alg)->name;
}

static void judge(const struct jwks *set, const struct jwt_rules *rules, const char *token)
{
	enum credential_verdict verdict;
	struct jwt jwt;
	struct jws jws;

	if (rules) {
		verdict = jwt_verify(&jwt, set, rules, (uint64_t)time(NULL), token, strlen(token));
		printf("%s %s\n", credential_name(verdict), alg_name(jwt.alg));
		jwt_fini(&jwt);
		return;
	}
	verdict = jws_verify(&jws, set, JWS_ALGS_ALL, token, strlen(token));
	printf("%s %s\n", credential_name(verdict), alg_name(jws.alg));
	jws_fini(&jws);
}

static int verify(const char *path, const struct jwt_rules *rules)
{
	struct jwks *set = strcmp(path, "-") == 0 ? NULL : read_set(path);
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	while ((n = getline(&line, &size, stdin)) > 0) {
		char *tab;

		if (line[n - 1] == '\n')
			line[n - 1] = '\0';
		tab = strcmp(path, "-") == 0 ? strchr(line, '\t') : NULL;
		if (tab) {
			struct jwks *own = NULL;

			*tab = '\0';
			(void)jwks_parse(&own, line, strlen(line), NULL);
			judge(own, rules, tab + 1);
			jwks_free(own);
		} else {
			judge(set, rules, line);
		}
	}
	free(line);
	jwks_free(set);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "make") == 0)
		return make();
	if (argc == 5 && strcmp(argv[1], "verify") == 0) {
		const struct jwt_rules rules = {
		    .issuer = argv[3], .audience = argv[4], .algs = JWS_ALGS_ALL, .skew_s = 5};

		return verify(argv[2], &rules);
	}
	if (argc == 3 && strcmp(argv[1], "signatures") == 0)
		return verify(argv[2], NULL);
	fprintf(stderr, "usage: tool make | verify JWKS ISS AUD | signatures JWKS\n");
	return 1;
}
