#!/bin/sh
# usage: run.sh BUILD   callgate-courier against real servers on loopback: certificates, addresses,
# sizes, time. Certificates are made here by openssl; nothing leaves the machine.
set -eu
courier=$(cd "$1" && pwd)/callgate-courier
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT INT TERM
cd "$folder"

authority() { # name
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=$1" \
		-keyout "$1.authority.key" -out "$1.authority.pem" 2>openssl.log
}
certificate() { # name, authority, days, alternative names
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" \
		-keyout "$1.key" -out "$1.csr" 2>openssl.log
	printf 'subjectAltName=%s\n' "$4" >"$1.ext"
	openssl x509 -req -in "$1.csr" -CA "$2.authority.pem" -CAkey "$2.authority.key" \
		-CAcreateserial -days "$3" -extfile "$1.ext" -out "$1.pem" 2>openssl.log
}
ours=DNS:localhost,DNS:rebind.localhost,IP:127.0.0.1,IP:::1
authority ours
authority others
certificate good ours 30 $ours
certificate expired ours -1 $ours
certificate foreign ours 30 DNS:foreign.example
certificate alien others 30 $ours
cp ours.authority.pem ca.pem
python3 "$here/check.py" "$courier" "$folder"
