#!/usr/bin/env python3
"""Writes docs/CONFORMANCE.md from the results of a test run: conformance.py TRX_FOLDER [--check]

Cases are named by [Trait("Case", "TOK-01")] on test methods and classes; tests/cases.tsv lists them all. Results of tests do not carry
traits, so they are read from the sources: a result is known by its class and method. Folders of the test projects that are named after a
specification give the second table, the other ones the third. With --check nothing is written: it fails when the committed document
says something else (numbers of tests apart).
"""
import collections
import glob
import os
import re
import sys
import xml.etree.ElementTree as xml

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DOCUMENT = os.path.join(ROOT, "docs", "CONFORMANCE.md")
NAMESPACE = re.compile(r"^namespace ([\w.]+);", re.MULTILINE)
CLASS = re.compile(r"^(?:public|internal)\s(?:[a-z]+\s)*(?:class|record)\s+(\w+)(?:[^:{\n]*:\s*(\w+))?", re.MULTILINE)
METHOD = re.compile(r"^\s+public\s+(?:virtual\s+|override\s+|static\s+)?(?:async\s+)?[\w<>?]+\s+(\w+)\s*\(")
CASE = re.compile(r'Trait\("Case",\s*"([A-Z]{3}-\d\d)"\)')


class TestFile:
    """What the source of one test file says: its classes, their bases, and which method carries which cases."""

    def __init__(self, path):
        self.path = os.path.relpath(path, ROOT)
        text = open(path, encoding="utf-8-sig").read()
        space = NAMESPACE.search(text)
        self.space = space.group(1) if space else ""
        self.bases = {name: base for name, base in CLASS.findall(text)}
        self.methods = {}  # (class, method) -> cases
        pending, of_class, owner, is_test = [], [], None, False
        for line in text.splitlines():
            pending += CASE.findall(line)
            is_test = is_test or bool(re.search(r"\[(Fact|Theory)\b", line))
            if found := CLASS.match(line):
                owner, of_class, pending = found.group(1), pending, []
            elif is_test and (found := METHOD.match(line)):
                self.methods[owner, found.group(1)] = set(pending + of_class)
                pending, is_test = [], False


def test_files():
    files = sorted(glob.glob(os.path.join(ROOT, "tests", "**", "*.cs"), recursive=True))
    return [TestFile(file) for file in files if "/obj/" not in file and "/bin/" not in file]


def results(folder, files):
    """The outcomes of each test method, by the file that declares it and its name there; inherited tests count for their declaration."""
    declared, parents = {}, {}
    for file in files:
        for name, base in file.bases.items():
            parents[f"{file.space}.{name}"] = f"{file.space}.{base}"
        for owner, method in file.methods:
            declared[f"{file.space}.{owner}", method] = (file.path, owner, method)
    outcomes = collections.defaultdict(list)
    for file in glob.glob(os.path.join(folder, "*.trx")):
        root = xml.parse(file).getroot()
        space = {"t": root.tag[1:].split("}")[0]}
        names = {}
        for test in root.iterfind(".//t:UnitTest", space):
            method = test.find("t:TestMethod", space)
            names[test.get("id")] = (method.get("className"), method.get("name").split("(")[0].split(".")[-1])
        for result in root.iterfind(".//t:UnitTestResult", space):
            owner, method = names[result.get("testId")]
            while (owner, method) not in declared and owner in parents:
                owner = parents[owner]
            outcomes[declared.get((owner, method))].append(result.get("outcome"))
    return outcomes


def state(outcomes):
    if not outcomes:
        return "not run"
    failed = sum(outcome == "Failed" for outcome in outcomes)
    skipped = sum(outcome == "NotExecuted" for outcome in outcomes)
    if failed:
        return f"failed ({failed} of {len(outcomes)} tests)"
    return "skipped" if skipped == len(outcomes) else f"passed ({len(outcomes)} tests)" if len(outcomes) > 1 else "passed (1 test)"


def table(lines, title, first, files, outcomes):
    lines += ["", f"## {title}", "", f"| {first} | tests | state |", "| --- | --- | --- |"]
    for file in files:
        ran = [outcome for owner, method in file.methods for outcome in outcomes[file.path, owner, method]]
        # tests/PROJECT/FOLDER/.../FILE.cs
        parts = file.path.split("/")[2:]
        about = re.sub(r"^Rfc(\d+)$", r"RFC \1", parts[0])
        lines.append(f"| {about} | [{'/'.join(parts[1:])[:-3]}](../{file.path}) | {state(ran)} |")


def document(folder):
    files = [file for file in test_files() if file.methods]
    outcomes = results(folder, files)
    tests = collections.defaultdict(set)
    for file in files:
        for (owner, method), cases in file.methods.items():
            for case in cases:
                tests[case].add((file.path, owner, method))
    lines = [
        "# Conformance", "",
        "Made by `make conformance` from the names and results of the tests of the last `make test`. What is only partly there says what the",
        "rest waits for.", "", "## Adversarial cases", "", "| case | sequence | state | tests |", "| --- | --- | --- | --- |",
    ]
    known = set()
    for line in open(os.path.join(ROOT, "tests", "cases.tsv"), encoding="utf-8"):
        if line.startswith("#"):
            continue
        case, what, waits = line.rstrip("\n").split("\t")
        known.add(case)
        found = sorted(tests.get(case, ()))
        said = state([outcome for test in found for outcome in outcomes[test]]) if found else f"not yet: {waits or 'a test'}"
        if found and waits:
            said = f"partly: {said}; not yet: {waits}"
        links = ", ".join(f"[{os.path.basename(file)[:-3]}](../{file})" for file in sorted({file for file, _, _ in found}))
        lines.append(f"| {case} | {what} | {said} | {links} |")
    if unknown := sorted(set(tests) - known):
        sys.exit(f"Tests name cases that tests/cases.tsv does not have: {', '.join(unknown)}")

    is_specification = re.compile(r"/Rfc\d+/")
    in_folders = [file for file in files if file.path.count("/") > 2]
    table(lines, "Specifications", "specification", sorted((f for f in in_folders if is_specification.search(f.path)), key=lambda f: (int(re.search(r"/Rfc(\d+)/", f.path).group(1)), f.path)), outcomes)
    table(lines, "Everything else", "about", [f for f in in_folders if not is_specification.search(f.path)], outcomes)
    return "\n".join(lines) + "\n"


def main():
    made = document(sys.argv[1])
    if "--check" not in sys.argv:
        with open(DOCUMENT, "w", encoding="utf-8") as file:
            file.write(made)
        return 0
    # How a test went is for the run itself to say, and one may be skipped on another machine: what must agree is which tests there are.
    without_numbers = re.compile(r"(passed|skipped|not run|failed)[^|;]*")
    committed = open(DOCUMENT, encoding="utf-8").read() if os.path.exists(DOCUMENT) else ""
    if without_numbers.sub("", made) == without_numbers.sub("", committed):
        return 0
    print("docs/CONFORMANCE.md is stale: run 'make conformance' after 'make test', and commit it. What differs:")
    for line in sorted(set(without_numbers.sub("", made).splitlines()) ^ set(without_numbers.sub("", committed).splitlines())):
        print("  " + line)
    return 1


if __name__ == "__main__":
    sys.exit(main())
