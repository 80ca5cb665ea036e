#!/usr/bin/env python3
"""Writes docs/CONFORMANCE.md from the results of a test run: conformance.py TRX_FOLDER [--check]

Cases are named by [Trait("Case", "TOK-01")] on test methods and classes; tests/cases.tsv lists them all. Folders of tests/IdP.Tests,
tests/IdP.Protocol.Tests and tests/IdP.TokenValidation.Tests that are named after a specification give the second table. With --check
nothing is written: it fails when the committed document says something else (numbers of tests apart).
"""
import collections
import glob
import os
import re
import sys
import xml.etree.ElementTree as xml

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DOCUMENT = os.path.join(ROOT, "docs", "CONFORMANCE.md")
CLASS = re.compile(r"\b(?:class|record)\s+(\w+)")
METHOD = re.compile(r"^\s*public\s+(?:virtual\s+|override\s+|static\s+)?(?:async\s+)?[\w<>?]+\s+(\w+)\s*\(")
BASE = re.compile(r"class\s+(\w+)[^:{]*:\s*(\w+)")


def tests_of_cases():
    """Case id -> (file, class, method) of every test that carries it; a trait on a class counts for each of its methods."""
    cases, bases = collections.defaultdict(set), {}
    for file in glob.glob(os.path.join(ROOT, "tests", "**", "*.cs"), recursive=True):
        if "/obj/" in file or "/bin/" in file:
            continue
        pending, of_class, owner, is_test = [], [], None, False
        for line in open(file, encoding="utf-8-sig"):
            pending += re.findall(r'Trait\("Case",\s*"([A-Z]{3}-\d\d)"\)', line)
            is_test = is_test or bool(re.search(r"\[(Fact|Theory)\b", line))
            for derived, base in BASE.findall(line):
                bases.setdefault(base, set()).add(derived)
            if found := CLASS.search(line):
                if line.lstrip().startswith(("public", "internal", "abstract", "sealed")) and not line.startswith("  "):
                    owner, of_class, pending = found.group(1), pending, []
            elif is_test and (found := METHOD.match(line)):
                for case in set(pending + of_class):
                    cases[case].add((os.path.relpath(file, ROOT), owner, found.group(1)))
                pending, is_test = [], False
    return cases, bases


def results(folder):
    """(class, method) -> outcomes, by the class that ran."""
    outcomes = collections.defaultdict(list)
    for file in glob.glob(os.path.join(folder, "*.trx")):
        root = xml.parse(file).getroot()
        space = {"t": root.tag[1:].split("}")[0]}
        names = {}
        for test in root.iterfind(".//t:UnitTest", space):
            method = test.find("t:TestMethod", space)
            names[test.get("id")] = (method.get("className").split(".")[-1].split("+")[-1], method.get("name").split("(")[0].split(".")[-1])
        for result in root.iterfind(".//t:UnitTestResult", space):
            outcomes[names[result.get("testId")]].append(result.get("outcome"))
    return outcomes


def state(outcomes):
    if not outcomes:
        return "not run"
    failed = sum(outcome == "Failed" for outcome in outcomes)
    skipped = sum(outcome == "NotExecuted" for outcome in outcomes)
    if failed:
        return f"failed ({failed} of {len(outcomes)} tests)"
    return "skipped" if skipped == len(outcomes) else f"passed ({len(outcomes)} tests)" if len(outcomes) > 1 else "passed (1 test)"


def document(folder):
    tests, bases = tests_of_cases()
    outcomes = results(folder)
    lines = [
        "# Conformance", "",
        "Made by `make docs` from the results of the tests; the tests are named by the ids. A case whose mechanism is partly there has a",
        "state and says what it waits for.", "", "## Adversarial cases", "",
        "| case | sequence | state | tests |", "| --- | --- | --- | --- |",
    ]
    for line in open(os.path.join(ROOT, "tests", "cases.tsv"), encoding="utf-8"):
        if line.startswith("#"):
            continue
        case, what, waits = line.rstrip("\n").split("\t")
        found = sorted(tests.get(case, ()))
        ran = []
        for _, owner, method in found:
            for name in {owner} | bases.get(owner, set()):
                ran += outcomes.get((name, method), [])
        said = state(ran) if found else f"not yet: {waits or 'test to be written'}"
        if found and waits:
            said += f"; the rest not yet: {waits}"
        links = ", ".join(f"[{os.path.basename(file)[:-3]}](../{file})" for file in sorted({file for file, _, _ in found}))
        lines.append(f"| {case} | {what} | {said} | {links} |")

    lines += ["", "## Specifications", "", "| specification | section | state | tests |", "| --- | --- | --- | --- |"]
    for file in sorted(glob.glob(os.path.join(ROOT, "tests", "IdP.*Tests", "Rfc*", "*.cs"))):
        text = open(file, encoding="utf-8-sig").read()
        owners = set(CLASS.findall(text))
        ran = [outcome for (owner, _), all_of in outcomes.items() if owner in owners for outcome in all_of]
        relative = os.path.relpath(file, ROOT)
        specification = "RFC " + re.search(r"/Rfc(\d+)/", file).group(1)
        section = os.path.basename(file)[:-3]
        lines.append(f"| {specification} | {section} | {state(ran)} | [{relative.split('/')[1]}](../{relative}) |")
    return "\n".join(lines) + "\n"


def main():
    made = document(sys.argv[1])
    if "--check" not in sys.argv:
        open(DOCUMENT, "w", encoding="utf-8").write(made)
        return 0
    without_numbers = re.compile(r"\(\d+ tests?\)")
    committed = open(DOCUMENT, encoding="utf-8").read() if os.path.exists(DOCUMENT) else ""
    if without_numbers.sub("", made) == without_numbers.sub("", committed):
        return 0
    print("docs/CONFORMANCE.md is stale: run 'make test' and then 'build/conformance.py artifacts/test-results'.")
    for line in sorted(set(without_numbers.sub("", made).splitlines()) ^ set(without_numbers.sub("", committed).splitlines())):
        print("  " + line)
    return 1


if __name__ == "__main__":
    sys.exit(main())
