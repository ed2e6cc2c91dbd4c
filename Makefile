# Everything a developer needs. `make test` is also what CI runs.

MODULES  := idl services graph compat bff
GENERATED = find idl/kitex_gen graph/exec graph/schema.graphql graph/model/models_gen.go graph/*.resolvers.go -type f | LC_ALL=C sort | xargs cksum
LINTER   := bin/golangci-lint
S3       := bin/versitygw

export GOFLAGS := -mod=readonly -buildvcs=false
export GOTOOLCHAIN := local

.PHONY: run demo bench bench-growth bench-likes cluster cluster-down up down test quick setup check-generated generate \
	playground check-playground web check-web vet lint unit alone chaos house bin/douyin bin/bench

run: ## serve on http://127.0.0.1:8080, data in ./data
	go run ./bff/cmd/douyin

demo: ## the same, with a small world to look at
	go run ./bff/cmd/douyin --demo

cluster: setup bin/douyin $(S3) ## two instances of everything, as processes, on http://127.0.0.1:8080
	go build -o bin/cluster ./bff/cmd/cluster
	@bin/cluster

cluster-down: ## end what 'make cluster' runs
	@if [ -f data/cluster/pid ]; then kill "$$(cat data/cluster/pid)"; fi
	@while [ -f data/cluster/pid ]; do sleep 0.1; done

up: .env ## the same in containers
	docker compose up --build --detach --wait

down: ## end what 'make up' runs; its data stays
	docker compose down

.env: ## the secrets of docker-compose.yml, made once
	@umask 077 && for name in MYSQL_ROOT_PASSWORD MYSQL_PASSWORD REDIS_PASSWORD S3_ACCESS_KEY S3_SECRET_KEY JWT_KEY; do \
		echo "$$name=$$(od -An -tx1 -N32 /dev/urandom | tr -d ' \n')"; done > .env.new && mv .env.new .env
	@echo "made .env: keep it, it holds the passwords of the data"

bin/douyin:
	CGO_ENABLED=0 go build -trimpath -o $@ ./bff/cmd/douyin

CHECKS := setup check-generated check-playground check-web vet lint alone unit

test: ## all checks
	@set -e; n=0; for check in $(CHECKS); do n=$$((n + 1)); start=$$(date +%s); \
		echo "==> $$n of $(words $(CHECKS)): $$check"; $(MAKE) --no-print-directory $$check; \
		echo "    $$check passed in $$(($$(date +%s) - start)) s"; done
	@echo "all checks passed"

quick: vet ## an answer in a minute or so: vet, and the tests that need no servers
	go test -short work

house: ## the measures of the code
	@.ci/house

setup: ## find or install what tests need: MariaDB or MySQL, Redis, etcd, nginx, wrk, ffmpeg, node, chromium
	@.ci/setup

generate: ## the code made from idl/*.thrift and graph/*.graphqls, and graph/schema.graphql
	cd idl && go generate ./...
	cd graph && go generate ./...

check-generated: ## regenerating changes nothing
	@$(GENERATED) > .ci/generated.before
	@$(MAKE) --no-print-directory generate
	@$(GENERATED) > .ci/generated.after
	@cmp -s .ci/generated.before .ci/generated.after || { \
		diff .ci/generated.before .ci/generated.after; \
		echo "generated code was not current: commit what 'make generate' has just made" >&2; exit 1; }
	@rm -f .ci/generated.before .ci/generated.after

playground: ## the page of /playground, from bff/playground/src
	cd bff/playground && npm ci --ignore-scripts && npx vite build --logLevel error

check-playground: ## building the page again makes the same files
	@built=$$(mktemp -d) && trap 'rm -rf "$$built"' EXIT && cd bff/playground && npm ci --ignore-scripts >/dev/null && \
		npx vite build --logLevel error --emptyOutDir --outDir "$$built" && diff -rq dist "$$built" || { \
		echo "bff/playground/dist is not what its source makes: commit what 'make playground' makes" >&2; exit 1; }

web: ## the web client, from bff/web/src
	cd bff/web && npm ci --ignore-scripts && npm run generate && npx vite build --logLevel error

check-web: ## types, linter and unit tests of the web client; building it again makes the same files
	@built=$$(mktemp -d) && trap 'rm -rf "$$built"' EXIT && cd bff/web && npm ci --ignore-scripts >/dev/null && \
		cp -r src/gql "$$built/gql" && npm run --silent generate >/dev/null && diff -r src/gql "$$built/gql" && npm run --silent check && \
		npx vite build --logLevel error --emptyOutDir --outDir "$$built/dist" && \
		diff -rq -x '*.gz' -x '*.br' dist "$$built/dist" || { \
		echo "bff/web is not whole: mend what is named above, or commit what 'make web' makes" >&2; exit 1; }

vet:
	go vet work

lint: $(LINTER) ## the linters of .golangci.yml, in every module
	@for module in $(MODULES); do (cd $$module && ../$(LINTER) run ./...) || exit 1; done

$(LINTER): .ci/tools/go.mod
	cd .ci/tools && GOWORK=off go build -o ../../$(LINTER) github.com/golangci/golangci-lint/v2/cmd/golangci-lint

alone: ## every module builds without the workspace
	@for module in $(MODULES); do echo "GOWORK=off $$module"; (cd $$module && GOWORK=off go vet ./...) || exit 1; done

$(S3): .ci/tools/versitygw/go.mod
	cd .ci/tools/versitygw && GOWORK=off go build -o ../../../$(S3) github.com/versity/versitygw/cmd/versitygw

bench: bin/bench ## requests/s and CPU time of a request, of the single process and of four, as one table
	@.ci/setup database redis wrk
	@bin/bench --markdown=bin/bench.md

bench-growth: bin/bench ## pages of the feed among 1,000, 100,000 and 1,000,000 videos
	@.ci/setup database redis wrk
	@bin/bench --growth=1000,100000,1000000 --markdown=bin/bench-growth.md

bin/bench: bin/douyin
	go build -o $@ ./bff/cmd/bench

bench-likes: ## likes in one transaction each, grouped, and logged in Redis, on MariaDB
	cd services && go test -run '^$$' -bench '^BenchmarkLikes$$' -benchtime 1x ./interaction

unit: $(S3) ## all tests, with the race detector
	go test -race -timeout 45m work

chaos: setup $(S3) ## everything is killed at random, for CHAOS_TIME (10m) and 200 times for each --like-ack; nothing may be lost
	CHAOS_TIME=$${CHAOS_TIME:-10m} CHAOS_KILLS=$${CHAOS_KILLS:-200} go test -timeout 24h -count 1 -run 'TestChaos$$|TestLoss' -v ./bff/cluster
