/** What stands beside revealed keys. The recipe is that of `RevealFolder`. */
export const REVEAL_README = `Private keys that are no secret any more

The keys in this folder have signed mail (DKIM, RFC 6376). They are used no
more: their public keys have left the DNS. Their private halves are published
here on purpose.

A DKIM signature is for the delivery of a message: it tells the receiver's mail
server that the message comes from the domain. It was never meant to prove to
others, years later, who wrote what. Now that everybody can sign with these
keys, it does not: a message that carries such a signature may have been
written by anybody, at any time since.

How to find a key: this folder and those in it cannot be listed. The name of a
file is made of the public key, which stood in the DNS as p= in the TXT record
<selector>._domainkey.<domain>. With that text, without spaces:

    p='MIIBIjANBgkqhki...'
    name=$(printf %s "$p" | base64 -d | sha256sum | cut -c 1-64)
    echo "$(printf %s "$name" | cut -c 1-2)/$name.pem"

is the path of the file in this folder, if the key has been revealed. That the
file holds the private half of that very key, an RSA key for example, is shown
by

    openssl pkey -in "$name.pem" -pubout -outform DER | base64 -w 0

which prints p= again. The record of an Ed25519 key has only the last 32 octets
of this.

The times of the files and folders are all the same, and mean nothing.
`;
