// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// Says which builds of the native module this processor and its operating system can run. It is compiled for every
// processor, so it is the first that the package imports.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject* builds(PyObject* self, PyObject* unused) {
  (void)self, (void)unused;
#if (defined(__x86_64__) || defined(_M_X64)) && defined(__GNUC__)
  __builtin_cpu_init();
  const int v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
                 __builtin_cpu_supports("fma");
  const int v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                 __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                 __builtin_cpu_supports("avx512vl");
  if (v4) return Py_BuildValue("(sss)", "x86_64_v4", "x86_64_v3", "x86_64");
  if (v3) return Py_BuildValue("(ss)", "x86_64_v3", "x86_64");
  return Py_BuildValue("(s)", "x86_64");
#else
  return Py_BuildValue("(s)", "generic");
#endif
}

static PyMethodDef methods[] = {{"builds", builds, METH_NOARGS, "The builds that run here, the fastest first."},
                                {NULL, NULL, 0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_processor", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__processor(void) { return PyModule_Create(&definition); }
