// The part of CPython's stable ABI (Py_LIMITED_API 0x03090000) that the engine uses, declared by hand.
//
// Including <Python.h> here would clash with Glibc's types as soon as a Swift file imports both, and would
// tie the build to one version's headers. scripts/check-cpython-abi compiles this file behind the <Python.h>
// of every interpreter it finds, so a prototype that differs is a compile error there.
#ifndef REPLTOOLS_CPYTHON_H
#define REPLTOOLS_CPYTHON_H

#include <stddef.h>
#include <sys/types.h>

#ifndef Py_PYTHON_H
typedef struct _object PyObject;
typedef struct _ts PyThreadState;
typedef struct _is PyInterpreterState;
typedef ssize_t Py_ssize_t;
typedef PyObject *(*PyCFunction)(PyObject *, PyObject *);

struct PyMethodDef {
  const char *ml_name;
  PyCFunction ml_meth;
  int ml_flags;
  const char *ml_doc;
};
typedef struct PyMethodDef PyMethodDef;

typedef struct PyModuleDef_Base {
  Py_ssize_t ob_refcnt;
  void *ob_type;
  PyObject *(*m_init)(void);
  Py_ssize_t m_index;
  PyObject *m_copy;
} PyModuleDef_Base;

struct PyModuleDef {
  PyModuleDef_Base m_base;
  const char *m_name;
  const char *m_doc;
  Py_ssize_t m_size;
  PyMethodDef *m_methods;
  void *m_slots;
  void *m_traverse;
  void *m_clear;
  void *m_free;
};
typedef struct PyModuleDef PyModuleDef;

enum { METH_VARARGS = 0x0001 };

typedef struct {
  int slot;
  void *pfunc;
} PyType_Slot;

typedef struct {
  const char *name;
  int basicsize;
  int itemsize;
  unsigned int flags;
  PyType_Slot *slots;
} PyType_Spec;

typedef struct _typeobject PyTypeObject;
#endif

// Numbers of type slots, which are part of the stable ABI.
enum {
  cpython_slot_call = 50,
  cpython_slot_getattro = 58,
  cpython_slot_repr = 66,
  cpython_slot_setattro = 69,
};
#ifdef Py_PYTHON_H
_Static_assert(cpython_slot_call == Py_tp_call, "Py_tp_call");
_Static_assert(cpython_slot_getattro == Py_tp_getattro, "Py_tp_getattro");
_Static_assert(cpython_slot_repr == Py_tp_repr, "Py_tp_repr");
_Static_assert(cpython_slot_setattro == Py_tp_setattro, "Py_tp_setattro");
#endif

// Bytes that every object begins with: its reference count and its type.
enum { cpython_object_head_size = 2 * sizeof(void *) };
#ifdef Py_PYTHON_H
_Static_assert(cpython_object_head_size == sizeof(PyObject), "PyObject");
#endif

// Sizes that the struct definitions above must share with the interpreter's.
_Static_assert(sizeof(PyType_Spec) == 4 * sizeof(void *), "PyType_Spec");
_Static_assert(sizeof(PyType_Slot) == 2 * sizeof(void *), "PyType_Slot");
_Static_assert(sizeof(struct PyMethodDef) == 4 * sizeof(void *), "PyMethodDef");
_Static_assert(sizeof(struct PyModuleDef) == 13 * sizeof(void *), "PyModuleDef");
_Static_assert(offsetof(struct PyModuleDef, m_name) == 5 * sizeof(void *), "PyModuleDef.m_name");
_Static_assert(offsetof(struct PyModuleDef, m_methods) == 8 * sizeof(void *), "PyModuleDef.m_methods");

/// The version of the module interface that goes with the stable ABI.
enum { cpython_abi_version = 3 };

// Modules
PyObject *PyModule_Create2(PyModuleDef *definition, int api_version);
int PyModule_AddStringConstant(PyObject *module, const char *name, const char *value);

// The interpreter's lock
PyThreadState *PyEval_SaveThread(void);
void PyEval_RestoreThread(PyThreadState *state);
PyInterpreterState *PyInterpreterState_Get(void);
PyThreadState *PyThreadState_Get(void);

// References
void Py_IncRef(PyObject *object);
void Py_DecRef(PyObject *object);

// Calls and attributes
PyObject *PyObject_CallObject(PyObject *callable, PyObject *arguments);
PyObject *PyObject_Call(PyObject *callable, PyObject *arguments, PyObject *keywords);
PyObject *PyObject_GetAttrString(PyObject *object, const char *name);
int PyObject_SetAttrString(PyObject *object, const char *name, PyObject *value);
PyObject *PyObject_GetAttr(PyObject *object, PyObject *name);
int PyObject_SetAttr(PyObject *object, PyObject *name, PyObject *value);
PyObject *PyObject_Repr(PyObject *object);
int PyObject_IsTrue(PyObject *object);
int PyFile_WriteObject(PyObject *object, PyObject *file, int flags);
int PyFile_WriteString(const char *text, PyObject *file);

// Types
PyObject *PyType_FromSpec(PyType_Spec *spec);
unsigned long PyType_GetFlags(PyTypeObject *type);
PyObject *PyObject_Type(PyObject *object);
PyObject *PyType_GenericAlloc(PyTypeObject *type, Py_ssize_t count);

// Threads
unsigned long PyThread_get_thread_ident(void);

int Py_AddPendingCall(int (*function)(void *), void *argument);

// Numbers, text, bytes, containers
PyObject *PyLong_FromLongLong(long long value);
long long PyLong_AsLongLong(PyObject *object);
PyObject *PyLong_FromUnsignedLong(unsigned long value);
PyObject *PyBool_FromLong(long value);
PyObject *PyUnicode_DecodeUTF8(const char *bytes, Py_ssize_t size, const char *errors);
PyObject *PyUnicode_AsUTF8String(PyObject *object);
PyObject *PyBytes_FromStringAndSize(const char *bytes, Py_ssize_t size);
int PyBytes_AsStringAndSize(PyObject *object, char **bytes, Py_ssize_t *size);
PyObject *PyTuple_New(Py_ssize_t size);
int PyTuple_SetItem(PyObject *tuple, Py_ssize_t index, PyObject *stolen);
Py_ssize_t PyTuple_Size(PyObject *tuple);
PyObject *PyTuple_GetItem(PyObject *tuple, Py_ssize_t index);
PyObject *PyDict_GetItemWithError(PyObject *dictionary, PyObject *key);
Py_ssize_t PyDict_Size(PyObject *dictionary);
Py_ssize_t PyList_Size(PyObject *list);
PyObject *PyList_GetItem(PyObject *list, Py_ssize_t index);

// Exceptions
PyObject *PyErr_Occurred(void);
void PyErr_Clear(void);
int PyErr_ExceptionMatches(PyObject *type);
void PyErr_SetNone(PyObject *type);
void PyErr_SetString(PyObject *type, const char *message);
void PyErr_SetObject(PyObject *type, PyObject *value);
void PyErr_WriteUnraisable(PyObject *context);
int PyThreadState_SetAsyncExc(unsigned long thread, PyObject *exception);

#ifndef Py_PYTHON_H
extern PyObject *PyExc_AttributeError;
extern PyObject *PyExc_KeyboardInterrupt;
extern PyObject *PyExc_RuntimeError;
extern PyObject *PyExc_OSError;
extern PyObject *PyExc_TypeError;
extern PyObject *PyExc_ValueError;
extern PyObject *PyExc_PermissionError;
#endif
extern PyObject _Py_NoneStruct;

// Swift 6 does not read mutable C globals: these do.
static inline PyObject *cpython_None(void) { return &_Py_NoneStruct; }
static inline PyObject *cpython_AttributeError(void) { return PyExc_AttributeError; }
static inline PyObject *cpython_KeyboardInterrupt(void) { return PyExc_KeyboardInterrupt; }
static inline PyObject *cpython_RuntimeError(void) { return PyExc_RuntimeError; }
static inline PyObject *cpython_OSError(void) { return PyExc_OSError; }
static inline PyObject *cpython_PermissionError(void) { return PyExc_PermissionError; }
static inline PyObject *cpython_TypeError(void) { return PyExc_TypeError; }
static inline PyObject *cpython_ValueError(void) { return PyExc_ValueError; }

/// An address in the code of the interpreter itself.
static inline unsigned long cpython_code(void) { return (unsigned long)&PyEval_SaveThread; }

/// Whether an object is a `str` or of a class derived from it; a flag of its type says so, and that flag is part of
/// the stable ABI: Py_TPFLAGS_UNICODE_SUBCLASS.
static inline int cpython_is_str(PyObject *object) {
  if (object == NULL) return 0;
  PyObject *type = PyObject_Type(object);
  if (type == NULL) return 0;
  int is_str = (PyType_GetFlags((PyTypeObject *)type) >> 28) & 1;
  Py_DecRef(type);
  return is_str;
}

#endif
