# make test      everything, on real servers that it installs, starts and stops (Debian, Ubuntu)
# make bench     Vault against its peers; FACTOR=2 doubles the sample site
# make build     bin/vault
# make demo      a backup and a restore of a sample site; needs only Go
# make lint      what needs no server
# make fuzz      every fuzzer for 5 seconds, or TIME=1m
# make servers   a shell in which the test servers run
.PHONY: test bench build demo lint fuzz servers

FACTOR ?= 1
TIME ?= 5s

test:
	.ci/packages gcc=gcc /usr/include/stdlib.h=libc6-dev zstd=zstd unzip=unzip psql=postgresql-client mariadb=mariadb-client-core sshd=openssh-server \
		/usr/lib/python3/dist-packages/grpc/__init__.py=python3-grpcio /usr/lib/python3/dist-packages/google/protobuf/__init__.py=python3-protobuf protoc=protobuf-compiler
	.ci/servers .ci/test

bench: build
	.ci/packages mysqldump=mariadb-client mydumper=mydumper pgloader=pgloader restic=restic
	.ci/servers go run ./bench -factor $(FACTOR)

build:
	CGO_ENABLED=0 go build -trimpath -o bin/vault ./cmd/vault

demo:
	go run ./cmd/vault demo

fuzz:
	.ci/fuzz $(TIME)

lint:
	.ci/lint

servers:
	.ci/servers $${SHELL:-sh}
