/*
 * What it costs to know who asks: verifications a second, one thread. Beside each signature the
 * same operation of libcrypto alone, with everything prepared: the ratio is what reading costs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/clock.h"
#include "supervisor/identity/key_store.h"
#include "supervisor/identity/token.h"
#include "tests/unit/identity/maker.h"

#define NOW     1800000000ull
#define HALF_US 500000 /* for each figure */
#define PAYLOAD                                                                                    \
	"{\"iss\":\"https://idp.example/\",\"aud\":\"callgate\",\"sub\":\"alice\","                \
	"\"exp\":1800000300,\"iat\":1799999990,\"scope\":\"read write\",\"role\":\"operator\"}"

struct work {
	struct jwks *set;
	char *token;
	struct key_store *store;
	char key[API_KEY_LEN + 1];
	EVP_PKEY *pkey;
	const struct algorithm *algorithm;
	unsigned char der[512];
	size_t der_len;
};

static int judge_token(struct work *work)
{
	static const struct jwt_rules rules = {.issuer = "https://idp.example/",
	    .audience = "callgate",
	    .algs = JWS_ALGS_DEFAULT,
	    .skew_s = 30};
	struct jwt jwt;
	int ok = jwt_verify(&jwt, work->set, &rules, NOW, work->token, strlen(work->token)) ==
		 CREDENTIAL_OK;

	jwt_fini(&jwt);
	return ok;
}

static int judge_raw(struct work *work)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	int ok = EVP_DigestVerifyInit_ex(
		     context, NULL, work->algorithm->digest, NULL, NULL, work->pkey, NULL) == 1 &&
		 EVP_DigestVerify(context, work->der, work->der_len,
		     (const unsigned char *)work->token, strlen(work->token)) == 1;

	EVP_MD_CTX_free(context);
	return ok;
}

static int judge_key(struct work *work)
{
	struct key_record record;
	int ok =
	    key_store_check(work->store, work->key, API_KEY_LEN, NOW, &record) == CREDENTIAL_OK;

	key_record_fini(&record);
	return ok;
}

static double rate(int (*judge)(struct work *), struct work *work)
{
	uint64_t start = clock_monotonic_us(), now;
	unsigned long count = 0;

	do {
		for (int i = 0; i < 20; i++, count++)
			MAKER_NEED(judge(work));
		now = clock_monotonic_us();
	} while (now - start < HALF_US);
	return (double)count * 1e6 / (double)(now - start);
}

static void sign_raw(struct work *work)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	work->der_len = sizeof(work->der);
	MAKER_NEED(EVP_DigestSignInit_ex(
		       context, NULL, work->algorithm->digest, NULL, NULL, work->pkey, NULL) == 1);
	MAKER_NEED(EVP_DigestSign(context, work->der, &work->der_len,
		       (const unsigned char *)work->token, strlen(work->token)) == 1);
	EVP_MD_CTX_free(context);
}

static void bench_token(enum jws_alg alg)
{
	struct work work = {.algorithm = algorithm_of(alg)};
	char header[64];
	struct buf text;
	double whole, raw;

	work.pkey = maker_key(work.algorithm->type);
	buf_init(&text, 8192);
	(void)buf_text(&text, "{\"keys\":[{\"kid\":\"k\",");
	maker_members(&text, work.pkey, work.algorithm->type);
	(void)buf_text(&text, "}]}");
	MAKER_NEED(jwks_parse(&work.set, buf_cstr(&text), text.len, NULL) == 0);
	buf_fini(&text);
	snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"kid\":\"k\"}", work.algorithm->name);
	work.token = maker_token(header, PAYLOAD, work.pkey, alg);
	sign_raw(&work);
	whole = rate(judge_token, &work);
	raw = rate(judge_raw, &work);
	printf("  JWT %-6s %9.0f a second   libcrypto alone %9.0f   ratio %.2f\n",
	    work.algorithm->name, whole, raw, whole / raw);
	free(work.token);
	jwks_free(work.set);
	EVP_PKEY_free(work.pkey);
}

static void bench_keys(const char *folder, int count)
{
	static const char *const tools[] = {"git_*", "bash", "grep_search"};
	struct scope scope = {0};
	struct work work = {0};
	struct key_request request = {
	    .tenant = "acme", .label = "", .created_by = "uid:0", .scope = &scope};
	struct key_record record;
	struct err_note note;

	for (size_t i = 0; i < 3; i++)
		MAKER_NEED(scope_add(&scope, SCOPE_TOOLS, tools[i]) == 0);
	MAKER_NEED(scope_add(&scope, SCOPE_ROLES, "developer") == 0);
	MAKER_NEED(key_store_open(&work.store, folder, &note) == 0);
	for (int i = 0; i < count; i++) {
		MAKER_NEED(key_store_create(work.store, &request, NOW, work.key, &record) == 0);
		key_record_fini(&record);
	}
	printf("  API key    %9.0f a second   (of %d keys, each with a scope of 4 entries)\n",
	    rate(judge_key, &work), count);
	key_store_close(work.store);
	scope_fini(&scope);
}

int main(void)
{
	char folder[] = "/tmp/callgate-bench-keys.XXXXXX";
	char path[64];

	bench_token(JWS_ES256);
	bench_token(JWS_RS256);
	bench_token(JWS_EDDSA);
	MAKER_NEED(mkdtemp(folder));
	bench_keys(folder, 1000);
	snprintf(path, sizeof(path), "%s/%s", folder, KEY_STORE_FILE);
	(void)unlink(path);
	(void)rmdir(folder);
	return 0;
}
