/* python/module.c - the extension module vktensor._core: puts the parts together. */
#include "python/core.h"

vkt_py_state vkt_py;

static bool add_functions(PyObject *module)
{
    return PyModule_AddFunctions(module, vkt_py_op_functions) == 0 &&
           PyModule_AddFunctions(module, vkt_py_array_functions) == 0 &&
           PyModule_AddFunctions(module, vkt_py_creation_functions) == 0 &&
           PyModule_AddFunctions(module, vkt_py_device_functions) == 0 &&
           PyModule_AddFunctions(module, vkt_py_profile_functions) == 0 &&
           PyModule_AddFunctions(module, vkt_py_tuning_functions) == 0 &&
           PyModule_AddFunctions(module, vkt_py_hooks_functions) == 0 &&
           PyModule_AddFunctions(module, vkt_py_share_functions) == 0;
}

static int module_exec(PyObject *module)
{
    static bool loaded;

    if (loaded) {
        PyErr_SetString(PyExc_ImportError,
                        "vktensor._core: cannot be loaded more than once in a process");
        return -1;
    }
    loaded = true;
    if (!vkt_py_numpy_init() || !add_functions(module) || !vkt_py_errors_init(module) ||
        !vkt_py_tensor_init(module) || !vkt_py_device_init(module) || !vkt_py_hooks_init(module))
        return -1;
    return 0;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, (void *)module_exec},
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
    {0, NULL},
};

static PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "vktensor._core",
    .m_doc = "The C core of vktensor. Use the package: its functions say what they promise.",
    .m_size = 0,
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__core(void);

PyMODINIT_FUNC PyInit__core(void)
{
    return PyModuleDef_Init(&module_def);
}
