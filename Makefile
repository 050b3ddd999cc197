.DEFAULT_GOAL := help
.PHONY: up down logs clean-data demo test chaos upgrade conformance bench containers lint migrations help

up: ## build and start everything here; again: only what has changed
	@deploy/local/up

down: ## stop the server and its engines, keep the data
	@deploy/local/down

logs: ## follow the server's log; LOG=postgres or LOG=rabbitmq: an engine's
	@deploy/local/logs $(LOG)

clean-data: ## stop everything and drop the data of this checkout
	@deploy/local/clean-data

demo: ## play the main job against what `make up` started, and show it
	@tests/demo/run

test: ## run all tests on engines of their own; ARGS="…" go to cargo test
	@deploy/local/test $(ARGS)

chaos: ## kill processes, broker and connections under load, and prove that nothing is lost; ARGS="--seed 7 --seconds 180"
	@tests/chaos/run $(ARGS)

upgrade: ## put this release in the place of a former one under load, and prove that nothing is lost; ARGS="--from v1.0.0"
	@tests/chaos/upgrade $(ARGS)

conformance: ## try every operation of the API document with good and bad input
	@tests/conformance/openapi

bench: ## measure; ARGS="gateway tokens reads events idle orders chat notify thumbs media" or some of them
	@tests/load/bench $(ARGS)

containers: ## try docker-compose.yml: everything up, the main job, everything down; ARGS=--stand-ins without a registry
	@tests/compose/run $(ARGS)

lint: ## run every check that is not a test
	@deploy/local/lint

migrations: ## apply pending migrations to the development database
	@deploy/local/migrations

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1|\2/p' Makefile | awk -F'|' '{ printf "make %-12s %s\n", $$1, $$2 }'
