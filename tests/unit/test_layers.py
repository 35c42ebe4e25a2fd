"""What import-linter has no contract for: no circle of files, and no pure module that its contract forgets."""

import graphlib
import sys

import grimp
import pytest

from tests.checks.pure_files import pure_modules

OURS = ("manager", "registry_sync", "namespaces", "accounts")
# Modules that know no framework and are not pure all the same.
NOT_PURE = {
    "accounts.installation_status": "what it holds is put there by the rooms above",
    "accounts.common.circuit_breaker": "keeps time",
    "accounts.common.secret_files": "reads files",
    "manager.backup.archive": "reads and writes files",
    "manager.standalone.lockfile": "locks a file",
    "manager.standalone.process_group": "starts programs",
    "manager.standalone.read_only": "waits on a named pipe",
    "manager.standalone.supervisor": "starts processes",
    "manager.formats.en.formats": "names that Django looks for",
    "manager.formats.fr.formats": "names that Django looks for",
    "manager.version": "reads a file",
    "manager.server.draining": "looks at sockets and takes a signal",
    "manager.server.early_signals": "takes signals",
    "manager.log_format": "is given to the logging of Python",
    "manager.metrics.snapshots": "reads and writes files",
    "manager.server.request_ids": "keeps what a thread is answering",
    "registry_sync.client.pacing": "keeps time, for threads that wait",
    "registry_sync.reclaim.storage": "reads folders",
    "registry_sync.tokens.ca": "reads and writes files",
    "registry_sync.tokens.results": "keeps time",
    "registry_sync.tokens.signing": "reads files",
}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*OURS, include_external_packages=True, cache_dir=None)


def test_no_file_imports_itself_through_others(graph: grimp.ImportGraph) -> None:
    order = graphlib.TopologicalSorter(
        {each: graph.find_modules_directly_imported_by(each) for each in graph.modules}
    )
    order.prepare()  # raises CycleError, which shows the circle


def test_what_knows_no_framework_is_pure_or_says_why_not(graph: grimp.ImportGraph) -> None:
    files = {each for each in graph.modules if each.startswith(OURS) and not graph.find_children(each)}
    known = {*OURS, *sys.stdlib_module_names, "cryptography", "jwt"}
    free = {
        each
        for each in files
        if {above.split(".")[0] for above in graph.find_upstream_modules(each)} <= known
    }
    assert free - pure_modules() == set(NOT_PURE)
