// The limit of testing keys: each round loads a key it has not used, signs, loads the public half, verifies.
// A key that is used again would sign twice as fast. Prints the seconds. Arguments: count threads folder (of 0.pem, 1.pem ...)
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MOST = 4096 };
static unsigned char *private_der[MOST], *public_der[MOST];
static int private_length[MOST], public_length[MOST];
static int pool, count, next;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *work(void *unused) {
  (void)unused;
  unsigned char signature[2048], digest[32];
  unsigned length;
  for (int i; (i = __sync_fetch_and_add(&next, 1)) < count;) {
    const unsigned char *der = private_der[i % pool];
    RSA *key = d2i_RSAPrivateKey(NULL, &der, private_length[i % pool]);
    SHA256((const unsigned char *)"probe message", 13, digest);
    if (RSA_sign(NID_sha256, digest, 32, signature, &length, key) != 1) abort();
    der = public_der[i % pool];
    RSA *half = d2i_RSAPublicKey(NULL, &der, public_length[i % pool]);
    if (RSA_verify(NID_sha256, digest, 32, signature, length, half) != 1) abort();
    RSA_free(half);
    RSA_free(key);
  }
  return NULL;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  count = atoi(argv[1]);
  int threads = atoi(argv[2]);
  if (threads < 1 || threads > 256) return 2;
  for (; pool < MOST; pool++) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%d.pem", argv[3], pool);
    FILE *file = fopen(path, "r");
    if (file == NULL) break;
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    RSA *rsa = EVP_PKEY_get1_RSA(key);
    private_length[pool] = i2d_RSAPrivateKey(rsa, &private_der[pool]);
    public_length[pool] = i2d_RSAPublicKey(rsa, &public_der[pool]);
  }
  if (pool == 0) return 2;
  pthread_t ids[256];
  double start = now();
  for (int i = 0; i < threads; i++) pthread_create(&ids[i], NULL, work, NULL);
  for (int i = 0; i < threads; i++) pthread_join(ids[i], NULL);
  printf("%.6f\n", now() - start);
  return 0;
}
