#!/usr/bin/env python3
"""Writes docs/CONFORMANCE.md from the results of a test run: conformance.py TRX_FOLDER [--check]

Cases are named by [Trait("Case", "TOK-01")] on test methods and classes; tests/cases.tsv lists them all. Modules of the OpenID Foundation's
conformance plans are named by [Trait("Module", "oidcc-server")] and [Trait("Plan", "oidcc-basic")] likewise; a class inherits the methods
of its base, so that one module may be in several plans. Results of tests do not carry traits, so they are read from the sources: a result
is known by its class and method. Folders of the test projects that are named after a specification give the third table, with the clause
that the name of a class begins with (S3_1_2_CodeFlow is §3.1.2); the other folders give the last one. With --check nothing is written: it
fails when the committed document says something else (numbers of tests apart). Either way it fails when a case that is about single use, races
or lost rights has no test that passed on several nodes.
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
CLASS = re.compile(r"^(?:public|internal)\s(?:[a-z]+\s)*(?:class|record)\s+(\w+)(?:[^:{;]*:\s*(\w+))?", re.MULTILINE)
METHOD = re.compile(r"^\s+public\s+(?:virtual\s+|override\s+|static\s+)?(?:async\s+)?[\w<>?]+\s+(\w+)\s*\(")
TRAIT = re.compile(r'Trait\("(Case|Module|Plan)",\s*"([\w-]+)"\)')
CLAUSE = re.compile(r"^S(\d+(?:_\d+)*)_")
# What nodes of one database could disagree about, and the classes that run several.
ON_NODES = re.compile(r"(COD|REF|REV|PAR|STA)-\d+|LGN-05|MFA-03|PSK-01")
RUNS_NODES = re.compile(r".*(OnNodes|\.Clusters\.\w+)")
# Folders named after a specification that has no number.
SPECIFICATIONS = {"OpenId": "OpenID Connect Core 1.0"}


class TestFile:
    """What the source of one test file says: its classes, their bases and traits, and which method carries which traits."""

    def __init__(self, path):
        self.path = os.path.relpath(path, ROOT)
        text = open(path, encoding="utf-8-sig").read()
        space = NAMESPACE.search(text)
        self.space = space.group(1) if space else ""
        self.bases = {name: base for name, base in CLASS.findall(text)}
        self.methods = {}  # (class, method) -> {(trait, value)}, those of the class among them
        self.traits = {}  # class -> {(trait, value)}
        pending, owner, is_test = set(), None, False
        for line in text.splitlines():
            pending |= set(TRAIT.findall(line))
            is_test = is_test or bool(re.search(r"\[(Fact|Theory)\b", line))
            if found := CLASS.match(line):
                owner, self.traits[found.group(1)], pending = found.group(1), pending, set()
            elif is_test and (found := METHOD.match(line)):
                self.methods[owner, found.group(1)] = pending | self.traits[owner]
                pending, is_test = set(), False


def test_files():
    files = sorted(glob.glob(os.path.join(ROOT, "tests", "**", "*.cs"), recursive=True))
    return [TestFile(file) for file in files if "/obj/" not in file and "/bin/" not in file]


def results(folder, files):
    """The outcomes of each test method, by the file that declares it and its name there (inherited tests count for their declaration), and
    by the class that ran it; and the methods, by file and name, that passed on several nodes."""
    declared, parents = {}, {}
    for file in files:
        for name, base in file.bases.items():
            parents[f"{file.space}.{name}"] = f"{file.space}.{base}"
        for owner, method in file.methods:
            declared[f"{file.space}.{owner}", method] = (file.path, owner, method)
    outcomes, of_class, on_nodes = collections.defaultdict(list), collections.defaultdict(list), set()
    for file in glob.glob(os.path.join(folder, "*.trx")):
        root = xml.parse(file).getroot()
        space = {"t": root.tag[1:].split("}")[0]}
        names = {}
        for test in root.iterfind(".//t:UnitTest", space):
            method = test.find("t:TestMethod", space)
            names[test.get("id")] = (method.get("className"), method.get("name").split("(")[0].split(".")[-1])
        for result in root.iterfind(".//t:UnitTestResult", space):
            owner, method = names[result.get("testId")]
            of_class[owner, method].append(result.get("outcome"))
            passed_on_nodes = result.get("outcome") == "Passed" and RUNS_NODES.fullmatch(owner)
            while (owner, method) not in declared and owner in parents:
                owner = parents[owner]
            outcomes[declared.get((owner, method))].append(result.get("outcome"))
            if passed_on_nodes:
                on_nodes.add(declared.get((owner, method)))
    return outcomes, of_class, on_nodes


def state(outcomes):
    if not outcomes:
        return "not run"
    failed = sum(outcome == "Failed" for outcome in outcomes)
    skipped = sum(outcome == "NotExecuted" for outcome in outcomes)
    if failed:
        return f"failed ({failed} of {len(outcomes)} tests)"
    return "skipped" if skipped == len(outcomes) else f"passed ({len(outcomes)} tests)" if len(outcomes) > 1 else "passed (1 test)"


def about(file):
    """What a folder of a test project is named after: tests/PROJECT/FOLDER/.../FILE.cs."""
    folder = file.path.split("/")[2]
    return SPECIFICATIONS.get(folder) or re.sub(r"^Rfc(\d+)$", r"RFC \1", folder)


def specifications(lines, files, outcomes):
    """One row for each class: what its tests are about is its clause."""
    lines += ["", "## Specifications", "", "| specification | clause | test | state |", "| --- | --- | --- | --- |"]
    rows = []
    for file in files:
        for owner in dict.fromkeys(owner for owner, _ in file.methods):
            found = CLAUSE.match(owner)
            clause = tuple(int(number) for number in found.group(1).split("_")) if found else ()
            ran = [outcome for of, method in file.methods if of == owner for outcome in outcomes[file.path, of, method]]
            number = re.search(r"\d+", about(file))
            order = (int(number.group()) if about(file).startswith("RFC ") else 0, about(file), not clause, clause, owner)
            said = "§" + ".".join(map(str, clause)) if clause else ""
            rows.append((order, f"| {about(file)} | {said} | [{owner}](../{file.path}) | {state(ran)} |"))
    lines += [row for _, row in sorted(rows)]


def everything_else(lines, files, outcomes):
    lines += ["", "## Everything else", "", "| about | tests | state |", "| --- | --- | --- |"]
    for file in files:
        ran = [outcome for owner, method in file.methods for outcome in outcomes[file.path, owner, method]]
        lines.append(f"| {about(file)} | [{'/'.join(file.path.split('/')[3:])[:-3]}](../{file.path}) | {state(ran)} |")


def modules(lines, files, of_class):
    """The modules of each plan: a class that names a plan runs its own modules and those of its bases."""
    classes = {f"{file.space}.{name}": (file, name) for file in files for name in file.traits}
    rows = collections.defaultdict(list)  # (plan, module) -> [(file, outcomes)]
    for full, (file, name) in classes.items():
        base, inherited = full, set()
        while base in classes:
            of, owner = classes[base]
            inherited |= of.traits[owner]
            for (declaring, method), traits in of.methods.items():
                if declaring != owner:
                    continue
                said = traits | inherited
                for plan in (value for trait, value in said if trait == "Plan"):
                    for module in (value for trait, value in said if trait == "Module"):
                        rows[plan, module].append((of, method, of_class[full, method]))
            base = f"{of.space}.{of.bases.get(owner)}"
    lines += [
        "", "## Modules of the OpenID Foundation's conformance plans", "",
        "Ported to tests of our own, under the ids that the conformance suite gives them; the suite itself runs elsewhere. What is a warning",
        "there is a failure here.", "", "| plan | module | test | state |", "| --- | --- | --- | --- |",
    ]
    for (plan, module), found in sorted(rows.items()):
        tests = "<br>".join(f"[{method.replace('_', ' ')}](../{file.path})" for file, method, _ in found)
        lines.append(f"| {plan} | {module} | {tests} | {state([outcome for _, _, ran in found for outcome in ran])} |")


def document(folder):
    """The document, and the cases that were met on no cluster."""
    everything = test_files()
    files = [file for file in everything if file.methods]
    outcomes, of_class, on_nodes = results(folder, everything)
    tests = collections.defaultdict(set)
    for file in files:
        for (owner, method), traits in file.methods.items():
            for case in (value for trait, value in traits if trait == "Case"):
                tests[case].add((file.path, owner, method))
    lines = [
        "# Conformance", "",
        "Made by `make conformance` from the names and results of the tests of the last `make test`. What is only partly there says what the",
        "rest waits for.", "", "## Adversarial cases", "", "| case | sequence | state | tests |", "| --- | --- | --- | --- |",
    ]
    known, missed = set(), []
    for line in open(os.path.join(ROOT, "tests", "cases.tsv"), encoding="utf-8"):
        if line.startswith("#"):
            continue
        case, what, waits = line.rstrip("\n").split("\t")
        known.add(case)
        found = sorted(tests.get(case, ()))
        said = state([outcome for test in found for outcome in outcomes[test]]) if found else f"not yet: {waits or 'a test'}"
        if found and waits:
            said = f"partly: {said}; not yet: {waits}"
        if ON_NODES.fullmatch(case) and (found or not waits) and on_nodes.isdisjoint(found):
            missed.append(case)
        links = ", ".join(f"[{os.path.basename(file)[:-3]}](../{file})" for file in sorted({file for file, _, _ in found}))
        lines.append(f"| {case} | {what} | {said} | {links} |")
    if unknown := sorted(set(tests) - known):
        sys.exit(f"Tests name cases that tests/cases.tsv does not have: {', '.join(unknown)}")

    modules(lines, everything, of_class)
    in_folders = [file for file in files if file.path.count("/") > 2]
    is_specification = re.compile(r"^RFC |^OpenID ")
    specifications(lines, [file for file in in_folders if is_specification.match(about(file))], outcomes)
    everything_else(lines, [file for file in in_folders if not is_specification.match(about(file)) and about(file) != "Conformance"], outcomes)
    return "\n".join(lines) + "\n", missed


def main():
    made, missed = document(sys.argv[1])
    if missed:
        print(f"No test in a class *OnNodes or in a folder Clusters has passed for {', '.join(missed)}.")
    if "--check" not in sys.argv:
        with open(DOCUMENT, "w", encoding="utf-8") as file:
            file.write(made)
        return len(missed) > 0
    # How a test went is for the run itself to say, and one may be skipped on another machine: what must agree is which tests there are.
    without_numbers = re.compile(r"(?<=[|:] )(passed|skipped|not run|failed)[^|;]*")
    committed = open(DOCUMENT, encoding="utf-8").read() if os.path.exists(DOCUMENT) else ""
    if without_numbers.sub("", made) == without_numbers.sub("", committed):
        return len(missed) > 0
    print("docs/CONFORMANCE.md is stale: run 'make conformance' after 'make test', and commit it. What differs:")
    for line in sorted(set(without_numbers.sub("", made).splitlines()) ^ set(without_numbers.sub("", committed).splitlines())):
        print("  " + line)
    return 1


if __name__ == "__main__":
    sys.exit(main())
