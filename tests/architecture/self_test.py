#!/usr/bin/env python3
"""Plants one violation of each kind in a small tree and expects exactly that to be reported."""
import pathlib
import tempfile
import unittest

from check import check_tree
from include_table import find_cycle, read_table

CMAKE = """
pillar_module(core)
pillar_module(threads USES core LIBRARIES OpenMP::OpenMP_CXX)
pillar_module(kernels USES core threads)
pillar_module(comm USES core # pillar_module(ghost)
                   LIBRARIES MPI::MPI_C)
pillar_module(model USES core kernels comm)
pillar_module(tables USES core)
pillar_module(terminal USES core)
pillar_module(arguments USES core
              LIBRARIES CLI11::CLI11)
pillar_module(cli USES core model arguments)
target_link_libraries(pillar PRIVATE pillar_core pillar_cli)
"""
CLEAN = {
    "CMakeLists.txt": CMAKE,
    "cmake/pillar_module.cmake": "set(PILLAR_ISA_FOLDERS avx2 neon)\n",
    "src/main.cpp": '#include "pillar/cli/run.hpp"\n#include <iostream>\nint main() { std::cout << 1; }\n',
    "src/model/layer.cpp": """// no mpi.h here; std::exp(x), printf(x) and #pragma omp in a comment
#include "pillar/kernels/matmul.hpp"
#include "pillar/model/layer.hpp"
/* #include "pillar/cli/run.hpp" */
const char* text = "std::cout << std::exp(1) // printf(";
const char* raw = R"x(std::sin(1) " )x";
const int many = 1'000'000; const char quote = '"'; double y = exp_f64(1.0);
void f() { log::info("expected"); snprintf(b, 1, "x"); my.exp(2); a->log(3); kernels::exp(4); experiment(5); }
""",
    "src/core/log.cpp": "void line() { std::fprintf(stderr, s); }\n",
    "src/core/elementary/exp.cpp": "double f(double x) { return std::exp(x); }\n",
    "src/kernels/avx2/dot.cpp": '#include "../views.hpp"\n#include <immintrin.h>\n',
    "src/kernels/neon/formats/dot.cpp": '#include "../../views.hpp"\n#include <arm_neon.h>\n',
    "src/threads/team.cpp": "#include <omp.h>\n#pragma omp parallel\n",
    "src/comm/world.cpp": "#include <mpi.h>\n",
    "src/arguments/flag.cpp": '#include "CLI/CLI.hpp"\n',
    "src/tables/json.cpp": "#include <nlohmann/json.hpp>\n",
    "src/terminal/text.cpp": 'void f() { printf("x"); }\n',
    "include/pillar/model/layer.hpp": "// What it is.\n#pragma once\n",
    "tests/data/blob.txt": b"\xff\xfe\x00",
    "tests/unit/x_test.cpp": "double truth = std::exp(1.0); // mktemp pillar-XXXXXX in /tmp, compute/work/wait\n",
}


class Rules(unittest.TestCase):
    def violations(self, extra=None):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, content in {**CLEAN, **(extra or {})}.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                data = content if isinstance(content, bytes) else content.encode()
                (root / name).write_bytes(data)
            return [(str(v.path), v.line, v.rule) for v in check_tree(root)]

    def expect(self, path, content, line, rule):
        self.assertEqual(self.violations({path: content}), [(path, line, rule)], content)

    def test_a_clean_tree_has_none(self):
        self.assertEqual(self.violations(), [])

    def test_includes_against_the_table(self):
        self.expect("src/kernels/a.cpp", '\n#include "pillar/comm/world.hpp"\n', 2, "include-table")
        self.expect("src/core/a.cpp", "#include <pillar/threads/team.hpp>\n", 1, "include-table")
        self.expect("include/pillar/core/a.hpp", '#pragma once\n #  include "pillar/cli/a.hpp"\n', 2, "include-table")
        self.expect("src/main.cpp", '#include "pillar/model/layer.hpp"\n', 1, "include-table")
        self.expect("src/kernels/a.cpp", '#include "../comm/inside.hpp"\n', 1, "include-table")
        self.expect("src/ghost/a.cpp", "int x;\n", 1, "include-table")

    def test_an_unknown_module_in_the_table(self):
        self.expect("CMakeLists.txt", CMAKE + "pillar_module(trace USES core storage)\n", 1, "include-table")

    def test_cycles(self):
        self.expect("CMakeLists.txt", CMAKE.replace("threads USES core", "threads USES core model"), 1, "include-cycle")
        self.assertEqual(find_cycle({"a": {"b"}, "b": {"c"}, "c": {"a"}}), ["a", "b", "c", "a"])
        self.assertIsNone(find_cycle({"a": {"b", "c"}, "b": {"c"}, "c": set()}))

    def test_rooms(self):
        for header in ("<mpi.h>", "<hdf5.h>", '"H5Cpp.h"', "<omp.h>", "<pcre2.h>", "<CLI/CLI.hpp>",
                       "<nlohmann/json.hpp>", "<immintrin.h>", "<arm_neon.h>", "<emmintrin.h>"):
            self.expect("src/model/a.cpp", f"#include {header}\n", 1, "library")
        self.expect("src/kernels/dispatch.cpp", "#include <immintrin.h>\n", 1, "library")
        self.expect("src/kernels/reference/a.cpp", "#include <arm_neon.h>\n", 1, "library")
        self.expect("src/kernels/reference/neon/a.cpp", "#include <arm_neon.h>\n", 1, "library")
        self.expect("src/model/a.cpp", "\n#pragma omp simd\n", 2, "library")
        self.expect("src/kernels/a.cpp", "int n = omp_get_max_threads();\n", 1, "library")

    def test_libm(self):
        for call in ("std::exp(x)", "::log(x)", "sinf(x)", "std::pow (x, 2)", "tanh(x)", "__builtin_cos(x)", "std::exp",
                     "::std::log2(x)"):
            self.expect("src/kernels/a.cpp", f"double y = f({call});\n", 1, "no-libm")
        self.expect("include/pillar/sampling/a.hpp".replace("sampling", "model"),
                    "#pragma once\ninline float f(float x) { return std::expf(x); }\n", 2, "no-libm")
        self.assertEqual(self.violations({"src/comm/a.cpp": "double y = std::log2(8);\n"}), [])

    def test_prints(self):
        for call in ("std::cout << 1", "std::cerr << 1", 'printf("x")', 'std::fprintf(stderr, "x")', 'puts("x")',
                     'fmt::print("x")'):
            self.expect("src/model/a.cpp", f"void f() {{ {call}; }}\n", 1, "no-print")

    def test_headers_lengths_paths_and_left_overs(self):
        self.expect("include/pillar/core/a.hpp", "int x;\n", 1, "pragma-once")
        self.expect("src/model/a.cpp", "int x;\n" * 351, 351, "file-length")
        self.assertEqual(self.violations({"src/model/a.cpp": "\n" * 350}), [])
        for path in ("/work/data", "/home/ann/x", "/root/x", "/Users/x"):
            self.expect("jobs/a.sh", f"cd {path}\n", 1, "machine-path")
        for word in ("TODO", "FIXME", "XXX", "HACK"):
            self.expect("docs/a.md", f"\n\n- {word}: later\n", 3, "left-over")

    def test_folders_that_hold_too_much(self):
        def files(folder, n):
            return {f"{folder}/{i}.txt": "" for i in range(n)}

        for folder in ("docs", "tests/support", "jobs/lib", ".ci", "include/pillar/core", "hostfiles"):
            self.assertEqual(self.violations({**files(folder, 15), **files(folder + "/below", 15)}), [])
            self.assertEqual(self.violations(files(folder, 16)), [(folder, 1, "folder-size")])
        self.assertEqual(self.violations({**files("tests/data/blocks", 16), **files("build", 16)}), [])

    def test_the_table_is_read_as_cmake_reads_it(self):
        table = read_table(CMAKE)
        self.assertEqual(table["core"], set())
        self.assertEqual(table["comm"], {"core"})
        self.assertEqual(table["cli"], {"core", "model", "arguments"})
        self.assertEqual(table["main"], {"core", "cli"})
        self.assertNotIn("ghost", table)


if __name__ == "__main__":
    unittest.main()
