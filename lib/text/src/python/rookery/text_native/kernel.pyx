# cython: language_level=3, boundscheck=False, wraparound=False, binding=True
# cython: freethreading_compatible=True
"""The native kernel of `rookery.text`: Arrow buffers in, packed integers out.

Nothing here knows pyarrow or numpy. A text column comes as the buffers of an Arrow string
array, and results go out as `bytes` of 32-bit integers, which their reader wraps without
copying them. The GIL is released while texts are read.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.exc cimport PyErr_CheckSignals
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
    int rk_has_long_text(const rk_texts *texts) nogil
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


cdef extern from "expressions.h":
    const int RK_BAD_EXPRESSION, RK_PAIR, RK_PLACE
    ctypedef struct rk_lists:
        const int32_t *first
        const int32_t *values
        int64_t lists
        int64_t size
    ctypedef struct rk_expressions:
        int32_t atoms, open, expressions, first_near
        rk_lists leaves, code, anchored, triggers, near, near_of
        const int32_t *shape
        const int32_t *others
    ctypedef struct rk_limits:
        int64_t expressions, of_leaf, of_text
    int rk_check_expressions(const rk_expressions *all, int32_t phrases) nogil
    int rk_match(const rk_expressions *all, const rk_table *table,
                 const rk_texts *texts, const int64_t *others, int64_t other_count,
                 rk_ints *pairs, rk_ints *wanted, rk_ints *places) nogil
    int rk_settle(const rk_expressions *all, const int32_t *pairs, int64_t pair_count,
                  const int32_t *places, int64_t place_count, const int64_t *others,
                  int64_t other_count, const rk_limits *limits, rk_ints *rows,
                  rk_ints *expressions, rk_ints *spans) nogil


cdef extern from "entities.h":
    const int RK_COLUMNS
    ctypedef struct rk_column:
        rk_ints rows
        rk_ints values
        rk_utf8 data
    int64_t rk_label_size(const uint8_t *start, const uint8_t *end) nogil
    int rk_entities(const rk_texts *texts, rk_column *columns, rk_ints *places,
                    int64_t *start) nogil


UNICODE_VERSION = RK_UNICODE.decode()



cdef class Column:
    """The buffers of one Arrow string or large_string array."""

    cdef Py_buffer validity, offsets, data
    cdef rk_texts texts

    def __cinit__(self, validity, offsets, data, int64_t first, int64_t length,
                  bint wide):
        cdef int64_t width = 8 if wide else 4
        if length >= 2**31 - 1:
            raise OverflowError(f"{length} texts are too many: give fewer at once")
        if length < 0 or not 0 <= first < 2**59:
            raise ValueError(f"a slice of {length} texts from {first}")
        self.texts.validity = _get(validity, &self.validity)
        self.texts.offsets = _get(offsets, &self.offsets)
        self.texts.data = _get(data, &self.data)
        if self.texts.data is NULL:
            self.texts.data = b""
        if length and self.offsets.len < (first + length + 1) * width:
            raise ValueError("the buffer of offsets is shorter than the array")
        if validity is not None and self.validity.len * 8 < first + length:
            raise ValueError("the buffer of validity is shorter than the array")
        self.texts.data_size = self.data.len
        self.texts.first = first
        self.texts.length = length
        self.texts.wide = wide
        if rk_has_long_text(&self.texts):
            raise OverflowError("a text has more than 2 GiB: split it")

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


cdef class Expressions:
    """Boolean expressions over the phrases of a table and what else is true."""

    cdef Table table
    cdef rk_expressions all
    cdef Py_buffer buffers[14]
    cdef int used

    def __cinit__(self, Table table not None, int32_t atoms, int32_t open,
                  int32_t first_near, leaves, code, shape, anchored, triggers, near,
                  others, near_of):
        self.table = table
        self.all.atoms = atoms
        self.all.open = open
        self.all.first_near = first_near
        self._lists(leaves, &self.all.leaves)
        self._lists(code, &self.all.code)
        self._lists(anchored, &self.all.anchored)
        self._lists(triggers, &self.all.triggers)
        self._lists(near, &self.all.near)
        self._lists(near_of, &self.all.near_of)
        cdef int64_t shapes, distances
        self.all.shape = self._numbers(shape, &shapes)
        self.all.others = self._numbers(others, &distances)
        if shapes != self.all.leaves.lists or shapes >= 2**30:
            raise ValueError(f"{shapes} shapes of {self.all.leaves.lists} expressions")
        if distances != self.all.near.lists:
            raise ValueError(f"{distances} distances of {self.all.near.lists} nears")
        self.all.expressions = <int32_t>shapes
        _check(rk_check_expressions(&self.all, table.table.phrases))

    def __dealloc__(self):
        for index in range(self.used):
            PyBuffer_Release(&self.buffers[index])

    cdef const int32_t *_numbers(self, source, int64_t *count) except? NULL:
        cdef Py_buffer *buffer = &self.buffers[self.used]
        PyObject_GetBuffer(source, buffer, PyBUF_SIMPLE)
        self.used += 1
        count[0] = buffer.len // <int64_t>sizeof(int32_t)
        return <const int32_t *>buffer.buf

    cdef int _lists(self, source, rk_lists *lists) except -1:
        first, values = source
        lists.first = self._numbers(first, &lists.lists)
        lists.values = self._numbers(values, &lists.size)
        lists.lists -= 1
        if lists.lists < 0:
            raise ValueError("lists have one more first value than there are lists")
        return 0

    def match(self, Column texts not None, others not None):
        """Finds pairs that are true or open, what decides on these, and places."""
        cdef rk_ints found[3]
        cdef Py_buffer true
        cdef int status
        memset(found, 0, sizeof(found))
        PyObject_GetBuffer(others, &true, PyBUF_SIMPLE)
        try:
            with nogil:
                status = rk_match(&self.all, &self.table.table, &texts.texts,
                                  <const int64_t *>true.buf,
                                  true.len // <int64_t>sizeof(int64_t),
                                  &found[0], &found[1], &found[2])
        finally:
            PyBuffer_Release(&true)
        return _all_packed(status, found)

    def settle(self, pairs not None, places not None, others not None,
               int64_t expressions, int64_t of_leaf, int64_t of_text):
        """Says what is true, now that all is known, and where its leaves stand."""
        cdef rk_ints found[3]
        cdef rk_limits limits
        cdef Py_buffer buffers[3]
        cdef int status
        memset(found, 0, sizeof(found))
        memset(buffers, 0, sizeof(buffers))
        limits.expressions = expressions
        limits.of_leaf = of_leaf
        limits.of_text = of_text
        try:
            PyObject_GetBuffer(pairs, &buffers[0], PyBUF_SIMPLE)
            PyObject_GetBuffer(places, &buffers[1], PyBUF_SIMPLE)
            PyObject_GetBuffer(others, &buffers[2], PyBUF_SIMPLE)
            with nogil:
                status = rk_settle(
                    &self.all,
                    <const int32_t *>buffers[0].buf,
                    buffers[0].len // <int64_t>(RK_PAIR * sizeof(int32_t)),
                    <const int32_t *>buffers[1].buf,
                    buffers[1].len // <int64_t>(RK_PLACE * sizeof(int32_t)),
                    <const int64_t *>buffers[2].buf,
                    buffers[2].len // <int64_t>sizeof(int64_t),
                    &limits, &found[0], &found[1], &found[2])
        finally:
            for index in range(3):
                PyBuffer_Release(&buffers[index])
        return _all_packed(status, found)


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
    cdef int64_t row = 0
    cdef int status, i
    memset(columns, 0, sizeof(columns))
    memset(&places, 0, sizeof(places))
    try:
        with nogil:
            while True:
                status = rk_entities(&texts.texts, columns, &places, &row)
                if status or row >= texts.texts.length:
                    break
                with gil:
                    PyErr_CheckSignals()
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
    if status == RK_BAD_EXPRESSION:
        raise IndexError("a number leads nowhere")
    return 0


cdef bytes _ints(rk_ints *ints):
    return PyBytes_FromStringAndSize(
        <char *>ints.data, ints.used * <int64_t>sizeof(int32_t)
    )


cdef tuple _all_packed(int status, rk_ints *three):
    try:
        _check(status)
        return _ints(&three[0]), _ints(&three[1]), _ints(&three[2])
    finally:
        for index in range(3):
            free(three[index].data)


cdef bytes _packed(int status, rk_ints *ints):
    try:
        _check(status)
        return _ints(ints)
    finally:
        free(ints.data)
