# make demo             train the digit recognizer on real digits, pictures in out/   (set-up 1 min, training 1 min)
# make test             all tests                                                     (set-up 1 min, tests 4 min)
# make docs             build the documentation, warnings are errors: build/docs/index.html
# make notebooks        run the notebooks from beginning to end
# make notebooks-write  run them and store their outputs
# make bench            time the library beside its peers, in environments of their own: benchmarks/RESULTS.md
# make check            lint, format and strict types
# make format           rewrite the code in the project's format
# make clean            remove the environment and everything that was made

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST_WORKERS ?= 2
# One thread a worker: small matrices gain nothing from two, and two workers would fight over the cores.
THREADS := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

.PHONY: demo test docs notebooks notebooks-write bench check format clean

demo: $(VENV)/demo.stamp
	@echo "Training the digit recognizer on scikit-learn's 1,797 digits: about a minute. Pictures go to out/."
	@$(BIN)/python -m examples.digits

test: $(VENV)/test.stamp
	@echo "Running all tests: about 4 minutes on 2 cores."
	@$(THREADS) MPLBACKEND=Agg $(BIN)/python -m pytest -n $(PYTEST_WORKERS) -q

check: $(VENV)/check.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/docs.stamp
	@$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet -c docs -d build/doctrees . build/docs
	@echo "The documentation is in build/docs/index.html."

# Without the options of pyproject.toml: the notebooks are run, not collected as tests.
notebooks: $(VENV)/check.stamp
	@$(THREADS) $(BIN)/python -m pytest -n $(PYTEST_WORKERS) -q --nbmake --nbmake-timeout=300 -c /dev/null --rootdir=notebooks notebooks

notebooks-write: $(VENV)/check.stamp
	@$(THREADS) $(BIN)/python notebooks/write.py

bench: $(VENV)/bench.stamp
	@$(BIN)/python -m benchmarks --full
	@$(BIN)/python -m pytest -q -c /dev/null --rootdir=. benchmarks/bench_operations.py

format: $(VENV)/check.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# An environment for each purpose's packages, made once and again only when pyproject.toml changes.
$(VENV)/%.stamp: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" \
		|| { echo "Python 3.11 or newer is needed: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || { echo "Making the environment $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "Installing what '$*' needs into $(VENV): about a minute, once."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[$*]"
	@touch $@

clean:
	rm -rf $(VENV) out build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .jupyter_cache gradient-pages
