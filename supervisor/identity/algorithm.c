#include "supervisor/identity/algorithm.h"

#include <string.h>

static const struct algorithm algorithms[JWS_ALG_END] = {
#define JWS_ALG_ROW_(id, name, type, digest, pss) [JWS_##id] = {name, type, digest, pss},
    JWS_ALGORITHMS(JWS_ALG_ROW_)
#undef JWS_ALG_ROW_
};

enum jws_alg algorithm_by_name(const char *name)
{
	for (unsigned i = JWS_NO_ALG + 1; i < JWS_ALG_END; i++) {
		if (strcmp(algorithms[i].name, name) == 0)
			return (enum jws_alg)i;
	}
	return JWS_NO_ALG;
}

const struct algorithm *algorithm_of(enum jws_alg alg)
{
	return alg > JWS_NO_ALG && alg < JWS_ALG_END ? &algorithms[alg] : NULL;
}

size_t jwk_curve_bytes(enum jwk_type type)
{
	switch (type) {
	case JWK_P256: return 32;
	case JWK_P384: return 48;
	case JWK_P521: return 66;
	case JWK_NONE:
	case JWK_RSA:
	case JWK_ED25519: break;
	}
	return 0;
}
