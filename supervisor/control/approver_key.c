#include "supervisor/control/approver_key.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/base/str.h"
#include "supervisor/control/command.h"

/* RFC 7914: 16 MiB, about 0.4 s a try. libcrypto reads PKCS#8 files with a limit of 32 MiB, so the
 * cost is in p. */
#define SCRYPT_N (1 << 14)
#define SCRYPT_R 8
#define SCRYPT_P 8

int approver_key_path(const char *given, char out[PATHS_MAX])
{
	char folder[PATHS_MAX];

	if (given)
		return paths_join(out, ".", given) == 0
			   ? 0
			   : command_fail(COMMAND_USAGE, "%s: path too long", given);
	if (paths_config(folder) != 0 || paths_join(out, folder, "approver.pem") != 0)
		return command_fail(COMMAND_USAGE, "no home for the key; give --key FILE");
	return 0;
}

static int read_line(int fd, char out[PASSPHRASE_MAX])
{
	size_t len = 0;

	while (len + 1 < PASSPHRASE_MAX) {
		ssize_t got = read(fd, out + len, 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 || out[len] == '\n')
			break;
		len++;
	}
	out[len] = 0;
	return len > 0 ? 0 : -ENODATA;
}

static int read_terminal(int tty, const char *prompt, char out[PASSPHRASE_MAX])
{
	struct termios before, silent;
	int result;

	if (tcgetattr(tty, &before) != 0)
		return -errno;
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	dprintf(tty, "%s: ", prompt);
	/* TCSAFLUSH: what was typed before the question is not an answer to it. */
	if (tcsetattr(tty, TCSAFLUSH, &silent) != 0)
		return -errno;
	result = read_line(tty, out);
	(void)tcsetattr(tty, TCSAFLUSH, &before);
	dprintf(tty, "\n");
	return result;
}

int passphrase_ask(const char *prompt, char out[PASSPHRASE_MAX])
{
	const char *number = getenv("CALLGATE_PASSPHRASE_FD");
	int cleanup_fd tty = -1;
	uint64_t fd = STDIN_FILENO;
	int result;

	if (number) {
		if (str_u64(number, 1024, &fd) != 0)
			return command_fail(COMMAND_USAGE,
			    "CALLGATE_PASSPHRASE_FD: not the number of a descriptor; unset it");
		result = read_line((int)fd, out);
	} else {
		tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
		result = tty >= 0 ? read_terminal(tty, prompt, out) : read_line(STDIN_FILENO, out);
	}
	if (result != 0)
		return command_fail(COMMAND_USAGE, "no passphrase given; type it, or give it as a "
						   "line on standard input");
	return 0;
}

static int write_pem(const char *path, EVP_PKEY *key, const char *passphrase)
{
	PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(key);
	X509_ALGOR *algorithm =
	    PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), NULL, 0, NULL, SCRYPT_N, SCRYPT_R, SCRYPT_P);
	X509_SIG *sealed = NULL;
	FILE *file = NULL;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	int result = -EIO;

	if (fd < 0)
		result = -errno;
	else if (plain && algorithm)
		sealed = PKCS8_set0_pbe(passphrase, (int)strlen(passphrase), plain, algorithm);
	if (sealed) {
		algorithm = NULL; /* now inside sealed */
		file = fdopen(fd, "w");
	}
	if (file) {
		if (PEM_write_PKCS8(file, sealed) == 1 && fflush(file) == 0 && fsync(fd) == 0)
			result = 0;
		fclose(file);
	} else if (fd >= 0) {
		close(fd);
	}
	if (result != 0 && fd >= 0)
		(void)unlink(path);
	X509_SIG_free(sealed);
	X509_ALGOR_free(algorithm);
	PKCS8_PRIV_KEY_INFO_free(plain);
	return result;
}

static int fill_public(EVP_PKEY *key, const char *name, struct approver *ret)
{
	uint8_t public_key[KEY_LEN];
	size_t len = sizeof(public_key);

	if (EVP_PKEY_get_raw_public_key(key, public_key, &len) != 1 || len != KEY_LEN)
		return -EIO;
	return approver_init(ret, name, public_key);
}

int approver_key_create(
    const char *path, const char *name, const char *passphrase, struct approver *ret_public)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	int result = key ? fill_public(key, name, ret_public) : -EIO;

	if (result == -EINVAL)
		result = command_fail(COMMAND_USAGE, "keys: --name %s: 1 to %d of [A-Za-z0-9_.@-]",
		    name, APPROVER_NAME_MAX);
	else if (result != 0)
		result = command_fail(COMMAND_USAGE, "keys: libcrypto cannot make an Ed25519 key");
	else
		result = write_pem(path, key, passphrase);
	if (result < 0)
		result = command_fail(COMMAND_USAGE, "keys: %s: %s%s", path, strerror(-result),
		    result == -EEXIST ? "; keep it, or give another --key FILE" : "");
	EVP_PKEY_free(key);
	return result;
}

EVP_PKEY *approver_key_open(const char *path, struct approver *ret_public)
{
	char passphrase[PASSPHRASE_MAX];
	FILE *file = fopen(path, "re");
	EVP_PKEY *key = NULL;

	if (!file) {
		(void)command_fail(0, "%s: %s; make one with `callgate keys create --approver`",
		    path, strerror(errno));
		return NULL;
	}
	if (passphrase_ask("Approver passphrase", passphrase) == 0) {
		key = PEM_read_PrivateKey(file, NULL, NULL, passphrase);
		if (!key || EVP_PKEY_get_id(key) != EVP_PKEY_ED25519 ||
		    fill_public(key, "me", ret_public) != 0) {
			(void)command_fail(
			    0, "%s: wrong passphrase, or not an approver key; try again", path);
			EVP_PKEY_free(key);
			key = NULL;
		}
	}
	key_wipe(passphrase, sizeof(passphrase));
	fclose(file);
	return key;
}

int approver_key_sign(
    EVP_PKEY *key, const void *bytes, size_t len, uint8_t ret_signature[SIGNATURE_LEN])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t signature_len = SIGNATURE_LEN;
	int good = context && EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
		   EVP_DigestSign(context, ret_signature, &signature_len, bytes, len) == 1 &&
		   signature_len == SIGNATURE_LEN;

	EVP_MD_CTX_free(context);
	return good ? 0 : command_fail(COMMAND_USAGE, "libcrypto cannot sign");
}
