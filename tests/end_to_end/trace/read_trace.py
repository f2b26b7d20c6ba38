#!/usr/bin/env python3
"""Reads a planted trace with h5py, xarray and the HDF5 tools as docs/trace_format.md says, and holds its tables against it.

    read_trace.py WRITE_TRACE DOCUMENT

Exits with 77 (skipped) and a sentence when a library is missing.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

try:
    import h5netcdf  # noqa: F401: xarray's engine
    import h5py
    import numpy
    import pandas  # noqa: F401: to_dataframe
    import xarray
except ImportError as missing:
    print(f"skipped: {missing}; needs python3-h5py, python3-h5netcdf and python3-xarray (jobs/lib/packages.sh test)")
    sys.exit(77)

SETUP_ATTRIBUTES = {"setup_trace_s", "setup_trace_bytes"}


def blocks(document, language):
    """The code blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", document, re.MULTILINE | re.DOTALL)


def tables(document):
    """{heading: [row of cells, …]} of the tables that list columns and attributes."""
    found = {}
    for section in re.split(r"^## ", document, flags=re.MULTILINE)[1:]:
        rows = [[cell.strip() for cell in line.strip("|\n").split("|")]
                for line in section.splitlines() if line.startswith("|")]
        if rows and rows[0][0] in ("column", "attribute"):
            found[section.split()[0]] = rows[2:]
    return found


def type_of(dataset):
    return "text" if h5py.check_string_dtype(dataset.dtype) else str(dataset.dtype)


def attribute_type(value):
    return "text" if isinstance(value, str) else str(value.dtype)


def check_columns(file, documented):
    """Every documented column is there as documented, and no other."""
    groups = {name for name in documented if name.startswith("/")} - {"/config"}
    assert {"/" + name for name in file} == groups | {"/config"}, list(file)
    for name in groups:
        group = file[name]
        assert set(group) == {row[0] for row in documented[name]}, (name, list(group))
        for column, kind, unit, meaning in documented[name]:
            dataset = group[column]
            where = f"{name}/{column}"
            assert type_of(dataset) == kind, (where, dataset.dtype)
            assert dataset.attrs.get("units", "") == unit, where
            assert dataset.maxshape[0] is None and dataset.chunks, where
            flags = re.findall(r"(\d) (\w+)", meaning) if re.match(r"0 ", meaning) else []
            if flags:
                assert list(dataset.attrs["flag_values"]) == [int(value) for value, _ in flags], where
                assert dataset.attrs["flag_meanings"].split() == [text for _, text in flags], where
            if kind not in ("text",):
                assert dataset.shuffle and dataset.compression_opts == 4, where


def check_attributes(file, documented):
    expected = {row[0]: row[1] for row in documented["Root"]}
    assert {name: attribute_type(value) for name, value in file.attrs.items()} == expected
    assert file.attrs["format"] == "pillar-trace"
    assert file.attrs["command_line"] == 'pillar run -m tiny.gguf -p "Grüße"'
    assert file.attrs["created"] == "2025-12-31T23:59:59Z"
    known = {row[0].rstrip(" *"): row[1] for row in documented["/config"]}
    for name in ("model", "quantisation", "n_ranks"):
        assert attribute_type(file["config"].attrs[name]) == known[name], name
    assert set(file["steps"].attrs) >= SETUP_ATTRIBUTES


def check_values(file):
    nan = float("nan")
    numpy.testing.assert_array_equal(file["steps/t_start_s"], [1, 2, 3])
    numpy.testing.assert_array_equal(file["steps/duration_s"], [0.75] * 3)
    numpy.testing.assert_array_equal(file["steps/trace_s"], [0.1875, 0.3125, 0.0625])
    numpy.testing.assert_array_equal(file["ranks/compute_s"], [[0.375, 0.0625]] * 3)
    numpy.testing.assert_array_equal(file["ranks/wait_s"], [[0, 0.25]] * 3)
    numpy.testing.assert_array_equal(file["ranks/wire_s"], [[0.375, 0.375]] * 3)
    numpy.testing.assert_array_equal(file["tokens/logprob"], numpy.float32([nan, -0.5]))
    assert file["sequences/completion"].asstr()[0] == "an\nalle"
    assert list(file["hosts/hostname"].asstr()) == ["pi1", "pi2"]


def check_xarray(path):
    """Dimensions carry their names; seconds stay numbers."""
    ranks = xarray.open_dataset(path, group="ranks", engine="h5netcdf")
    assert ranks.wait_s.dims == ("step", "rank"), ranks.wait_s.dims
    assert ranks.wait_s.dtype == "float64"
    assert float(ranks.wait_s.sel(step=2, rank=1)) == 0.25
    for group, dimension in {"hosts": "rank", "steps": "step", "tokens": "token", "sequences": "sequence",
                             "collectives": "collective", "layers": "entry", "telemetry": "sample"}.items():
        dataset = xarray.open_dataset(path, group=group, engine="h5netcdf")
        assert set(dataset.dims) == {dimension}, (group, dataset.dims)
    threads = xarray.open_dataset(path, group="threads", engine="h5netcdf")
    assert threads.barrier_s.dims == ("step", "thread"), threads.barrier_s.dims
    tokens = xarray.open_dataset(path, group="tokens", engine="h5netcdf").to_dataframe()
    assert list(tokens.id) == [17, 42] and tokens.index.name == "token"


def run_documented(document, folder):
    """The commands of the page, as they stand there, in a folder with a FILE.h5."""
    scripts = blocks(document, "python")
    assert len(scripts) == 2, scripts
    for script in scripts:
        subprocess.run([sys.executable, "-c", script], cwd=folder, check=True, capture_output=True)
    commands = [line for block in blocks(document, "sh") for line in block.splitlines()]
    for command in commands:
        program = command.split()[0]
        if program == "pillar" or shutil.which(program) is None:
            continue
        output = subprocess.run(command.split(), cwd=folder, check=True, capture_output=True, text=True).stdout
        if command.startswith("h5ls -r"):
            for place in ("/config", "/ranks/wait_s", "/tokens/latency_s"):
                assert re.search(rf"^{place} ", output, re.MULTILINE), output
            assert re.search(r"^/ranks/wait_s +Dataset \{3/Inf, 2\}", output, re.MULTILINE), output


def main():
    write_trace, document_path = sys.argv[1:]
    document = pathlib.Path(document_path).read_text(encoding="utf-8")
    os.environ["HDF5_USE_FILE_LOCKING"] = "FALSE"
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "FILE.h5")
        subprocess.run([write_trace, path], check=True)
        documented = tables(document)
        with h5py.File(path) as file:
            check_columns(file, documented)
            check_attributes(file, documented)
            check_values(file)
        check_xarray(path)
        run_documented(document, folder)


if __name__ == "__main__":
    main()
