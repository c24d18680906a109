# cython: language_level=3, boundscheck=False, wraparound=False, binding=True
# cython: freethreading_compatible=True
"""The native kernel of `rookery.text`: Arrow buffers in, packed integers out.

Nothing here knows pyarrow or numpy. A text column comes as the buffers of an Arrow string
array, and results go out as `bytes` of 32-bit integers, which their reader wraps without
copying them. The GIL is released while texts are read.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t
from libc.stdlib cimport free
from libc.string cimport memset


cdef extern from "Python.h":
    str PyUnicode_FromKindAndData(int kind, const void *buffer, Py_ssize_t size)


cdef extern from "scan.h":
    const char *RK_UNICODE
    ctypedef struct rk_texts:
        const uint8_t *validity
        const uint8_t *offsets
        const uint8_t *data
        int64_t data_size
        int64_t first
        int64_t length
        int wide
    int rk_record(uint32_t code) nogil
    uint32_t rk_folded(uint32_t code) nogil
    const uint8_t rk_class[]


cdef extern from "output.h":
    const int RK_NO_MEMORY, RK_BAD_OFFSETS, RK_EMPTY_PHRASE, RK_TOO_LARGE
    ctypedef struct rk_ints:
        int32_t *data
        int64_t used
    ctypedef struct rk_utf8:
        uint8_t *data
        int64_t used


cdef extern from "phrases.h":
    ctypedef struct rk_table:
        int32_t phrases
    int rk_build(rk_table *table, const rk_texts *phrases, const uint8_t *kinds,
                 int64_t *bad) nogil
    int rk_find(const rk_table *table, const rk_texts *texts, rk_ints *hits) nogil
    int rk_all_words(const rk_texts *texts, rk_ints *words) nogil
    void rk_free(rk_table *table)


cdef extern from "entities.h":
    const int RK_COLUMNS
    ctypedef struct rk_column:
        rk_ints rows
        rk_ints values
        rk_utf8 data
    int64_t rk_label_size(const uint8_t *start, const uint8_t *end) nogil
    int rk_entities(const rk_texts *texts, rk_column *columns, rk_ints *places) nogil


UNICODE_VERSION = RK_UNICODE.decode()



cdef class Column:
    """The buffers of one Arrow string or large_string array."""

    cdef Py_buffer validity, offsets, data
    cdef rk_texts texts

    def __cinit__(self, validity, offsets, data, int64_t first, int64_t length,
                  bint wide):
        cdef int64_t width = 8 if wide else 4
        if first < 0 or not 0 <= length < 2**31 - 1:
            raise ValueError(f"a slice of {length} texts from {first}")
        self.texts.validity = _get(validity, &self.validity)
        self.texts.offsets = _get(offsets, &self.offsets)
        self.texts.data = _get(data, &self.data)
        if length and self.offsets.len < (first + length + 1) * width:
            raise ValueError("the buffer of offsets is shorter than the array")
        if validity is not None and self.validity.len * 8 < first + length:
            raise ValueError("the buffer of validity is shorter than the array")
        self.texts.data_size = self.data.len
        self.texts.first = first
        self.texts.length = length
        self.texts.wide = wide

    def __dealloc__(self):
        PyBuffer_Release(&self.validity)
        PyBuffer_Release(&self.offsets)
        PyBuffer_Release(&self.data)


cdef class Table:
    """Phrases, ready to be found."""

    cdef rk_table table

    def __cinit__(self, Column phrases not None, bytes kinds not None):
        cdef int64_t bad = -1
        cdef const uint8_t *kind = kinds
        cdef int status
        if len(kinds) != phrases.texts.length:
            raise ValueError(f"{len(kinds)} kinds of {phrases.texts.length} phrases")
        with nogil:
            status = rk_build(&self.table, &phrases.texts, kind, &bad)
        if status == RK_EMPTY_PHRASE:
            raise IndexError(bad)
        _check(status)

    def __dealloc__(self):
        rk_free(&self.table)

    def find(self, Column texts not None):
        """Finds: (row, phrase, start, end, first word, last word) of each hit."""
        cdef rk_ints hits
        cdef int status
        if not self.table.phrases:
            return b""
        memset(&hits, 0, sizeof(hits))
        with nogil:
            status = rk_find(&self.table, &texts.texts, &hits)
        return _packed(status, &hits)


def words(Column texts not None):
    """Finds all words: (row, start, end) of each."""
    cdef rk_ints found
    cdef int status
    memset(&found, 0, sizeof(found))
    with nogil:
        status = rk_all_words(&texts.texts, &found)
    return _packed(status, &found)


def entities(Column texts not None):
    """Finds entities: (row, kind, start, end) of each, and six columns of values.

    A column is where the values of each text end, where each value ends, and UTF-8.
    """
    cdef rk_column columns[6]
    cdef rk_ints places
    cdef int status, i
    memset(columns, 0, sizeof(columns))
    memset(&places, 0, sizeof(places))
    try:
        with nogil:
            status = rk_entities(&texts.texts, columns, &places)
        _check(status)
        return _ints(&places), [
            (
                _ints(&columns[i].rows),
                _ints(&columns[i].values),
                PyBytes_FromStringAndSize(
                    <char *>columns[i].data.data, columns[i].data.used
                ),
            )
            for i in range(RK_COLUMNS)
        ]
    finally:
        free(places.data)
        for i in range(RK_COLUMNS):
            free(columns[i].rows.data)
            free(columns[i].values.data)
            free(columns[i].data.data)


def fold(str text not None):
    """Folds the case of each code point."""
    cdef Py_ssize_t size = len(text), at
    cdef Py_UCS4 *folded = <Py_UCS4 *>PyMem_Malloc((size + 1) * sizeof(Py_UCS4))
    if folded is NULL:
        raise MemoryError
    try:
        for at in range(size):
            folded[at] = rk_folded(text[at])
        return PyUnicode_FromKindAndData(4, folded, size)
    finally:
        PyMem_Free(folded)


def character_class(Py_UCS4 character):
    """Says what a character may be part of, as `rookery.text.tables` has it."""
    return rk_class[rk_record(character)]


def label_size(str label not None):
    """Says how many characters a label of a host has in Punycode; 64 if too many."""
    cdef bytes data = label.encode()
    cdef const uint8_t *start = data
    return min(rk_label_size(start, start + len(data)), 64)


cdef const uint8_t *_get(source, Py_buffer *buffer) except? NULL:
    # Without a format: pyarrow calls its bytes signed.
    if source is None:
        return NULL
    PyObject_GetBuffer(source, buffer, PyBUF_SIMPLE)
    return <const uint8_t *>buffer.buf


cdef int _check(int status) except -1:
    if status == RK_NO_MEMORY:
        raise MemoryError
    if status == RK_TOO_LARGE:
        raise OverflowError("more than 2 GiB of results: give fewer texts at once")
    if status == RK_BAD_OFFSETS:
        raise ValueError("an offset lies outside of the buffer of text")
    return 0


cdef bytes _ints(rk_ints *ints):
    return PyBytes_FromStringAndSize(
        <char *>ints.data, ints.used * <int64_t>sizeof(int32_t)
    )


cdef bytes _packed(int status, rk_ints *ints):
    try:
        _check(status)
        return _ints(ints)
    finally:
        free(ints.data)
