// The limit of key generation: libcrypto makes `count` RSA keys of `bits` on `threads` threads and encodes them.
// Prints the seconds it took. Arguments: count threads bits
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int count, bits, next;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *work(void *unused) {
  (void)unused;
  while (__sync_fetch_and_add(&next, 1) < count) {
    EVP_PKEY *key = EVP_RSA_gen(bits);
    BIO *out = BIO_new(BIO_s_mem());
    PEM_write_bio_PKCS8PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
    i2d_PUBKEY_bio(out, key);
    BIO_free(out);
    EVP_PKEY_free(key);
  }
  return NULL;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  count = atoi(argv[1]);
  int threads = atoi(argv[2]);
  bits = atoi(argv[3]);
  if (threads < 1 || threads > 256) return 2;
  pthread_t ids[256];
  double start = now();
  for (int i = 0; i < threads; i++) pthread_create(&ids[i], NULL, work, NULL);
  for (int i = 0; i < threads; i++) pthread_join(ids[i], NULL);
  printf("%.6f\n", now() - start);
  return 0;
}
