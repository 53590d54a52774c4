# alone: it measures time
# The HTTP library under a small owner (programs/http_server.c), over real sockets: framing, limits,
# deadlines, hang-ups, streams, TLS, client certificates, reload, ten thousand idle connections.
. "$IT_TESTS/lib.sh"
mkdir certs
cd certs || fail "no folder"
authority() { # NAME
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=$1" \
		-keyout "$1.key" -out "$1.pem" 2>/dev/null || fail "authority $1"
}
leaf() { # NAME AUTHORITY SUBJECT SAN [DAYS]
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$3" -keyout "$1.key" \
		-out "$1.csr" 2>/dev/null || fail "key of $1"
	openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days "${5:-30}" \
		-extfile <(echo "subjectAltName=$4") -out "$1.pem" 2>/dev/null || fail "certificate $1"
}
authority ca
authority ca2
leaf server ca /CN=localhost DNS:localhost
leaf server2 ca /CN=localhost DNS:localhost
leaf client ca /O=Corp/CN=ci URI:spiffe://corp/ci,DNS:ci.corp.example,email:ci@corp.example
leaf other ca2 /CN=other URI:spiffe://corp/ci
leaf expired ca /CN=expired URI:spiffe://corp/ci -1
# "ci.corp.example\0.evil" as a DNS name, which openssl's own syntax cannot say
leaf nul ca /CN=nul DER:30:18:82:16:63:69:2e:63:6f:72:70:2e:65:78:61:6d:70:6c:65:00:2e:65:76:69:6c:21
cd ..
python3 "$IT_TESTS/http_drive.py" "$IT_BIN/http_server" "$IT_DIR/certs" || fail "see above"
