"""Objects that record every call of their code, for what must not call any.

`HOSTILE` is a setting for an `Inquirer`: whatever runs of these appends to `calls`.
"""

HOSTILE = r'''
import functools, types

SPECIAL = """getattr getattribute dir class_getitem eq ne lt le gt ge hash bool len iter next contains getitem missing
repr str format bytes index int float call get set delete enter exit instancecheck subclasscheck prepare length_hint
reversed copy deepcopy reduce reduce_ex sizeof fspath await aiter anext""".split()

def recorder(name):
    def special(*arguments, **options):
        calls.append(name)
        raise RuntimeError(name)
    return special

def reading(name):
    return property(recorder("property " + name))

# What every class of these has: all special methods, and properties that lie in wait.
traps = {"__%s__" % name: recorder(name) for name in SPECIAL}
traps.update({"__%s__" % name: reading(name) for name in ("class", "dict", "doc", "wrapped", "signature", "text_signature",
                                                          "annotations", "defaults", "code", "self", "func")})
body = dict(traps, prop=reading("prop"), plain=1, method=lambda self, alpha, beta=2: None)

class Meta(type):
    __getattribute__ = recorder("meta getattribute")
    __getattr__ = recorder("meta getattr")
    __dir__ = recorder("meta dir")
    __hash__ = recorder("meta hash")
    __eq__ = recorder("meta eq")
    __instancecheck__ = recorder("meta instancecheck")
    __subclasscheck__ = recorder("meta subclasscheck")
    __call__ = recorder("meta call")
    __repr__ = recorder("meta repr")
    __bool__ = recorder("meta bool")
    __len__ = recorder("meta len")
    __iter__ = recorder("meta iter")
    __doc__ = reading("meta doc")
    __module__ = reading("meta module")
    __signature__ = reading("meta signature")
    __mro__ = reading("meta mro")
    __bases__ = reading("meta bases")

class Descriptor:
    def __get__(self, thing, owner):
        calls.append("descriptor")
    def __set__(self, thing, value):
        calls.append("descriptor set")

class Function:
    def __get__(self, thing, owner):
        calls.append("function descriptor")
    def __call__(self):
        calls.append("function descriptor call")

body.update(data=Descriptor(), bindable=Function(), lazy=functools.cached_property(recorder("cached")))
Hostile = type("Hostile", (), dict(body))
hostile = object.__new__(Hostile)
MetaHostile = type.__new__(Meta, "MetaHostile", (), dict(body))
meta_hostile = object.__new__(MetaHostile)

class Word(str):
    __eq__ = recorder("word eq")
    __hash__ = str.__hash__
    startswith = recorder("word startswith")
    __getattribute__ = recorder("word getattribute")
    __repr__ = recorder("word repr")
    __str__ = recorder("word str")

class Number(int):
    __eq__ = recorder("number eq")
    __hash__ = int.__hash__
    __str__ = __repr__ = recorder("number repr")
    bit_length = recorder("number bit_length")

class Mapping(dict):
    __getitem__ = recorder("mapping getitem")
    __iter__ = recorder("mapping iter")
    keys = recorder("mapping keys")
    items = recorder("mapping items")
    get = recorder("mapping get")
    __len__ = recorder("mapping len")
    __contains__ = recorder("mapping contains")
    __bool__ = recorder("mapping bool")

class Sequence(list):
    __getitem__ = recorder("sequence getitem")
    __len__ = recorder("sequence len")
    __iter__ = recorder("sequence iter")

class Module(types.ModuleType):
    __getattr__ = recorder("module getattr")
    __getattribute__ = recorder("module getattribute")
    __dir__ = recorder("module dir")
    prop = reading("module prop")

module = Module("module")
types.ModuleType.__dict__["__dict__"].__get__(module).update(member=hostile, __all__=hostile, __getattr__=recorder("hook"),
                                                             __path__=hostile, __file__=hostile)
holder = types.SimpleNamespace(held=hostile, meta=meta_hostile, cls=MetaHostile, module=module)
words = {Word("word"): 1, "plain": hostile, "meta": meta_hostile, 1: hostile, Number(2): hostile}
mapping = Mapping(key=hostile)
sequence = Sequence([hostile])
items = [hostile, meta_hostile, module]
pair = (hostile, meta_hostile)

def function(a, b: hostile = hostile, *rest: MetaHostile, c: Hostile = meta_hostile, **others: holder) -> hostile:
    "A function."
function.__wrapped__ = hostile
function.note = hostile
class Pair(tuple):
    __len__ = __getitem__ = __iter__ = __bool__ = recorder("pair")
def renamed(a, b=1): pass
renamed.__qualname__ = renamed.__name__ = Word("renamed")
renamed.__defaults__ = Pair([1])
renamed.__kwdefaults__ = Mapping(b=1)
renamed.__annotations__ = Mapping(a=hostile)
renamed.__code__ = renamed.__code__.replace(co_filename=Word("file"))
class Holding:
    method = renamed
holding = Holding()
partial = functools.partial(function, hostile, c=hostile)
cached = functools.lru_cache(recorder("cached function"))
class Plain:
    __doc__ = hostile
    __slots__ = ("slot", "empty")
    __call__ = hostile
    attribute = hostile
    static = staticmethod(hostile) if False else staticmethod(len)
    by_class = classmethod(recorder("class method"))
plain = Plain(); plain.slot = hostile
Subclass = type.__new__(Meta, "Subclass", (Plain,), {"__init__": recorder("init"), "__slots__": ()})
calls = calls if "calls" in globals() else []
'''

EXPRESSIONS = [
    "hostile", "meta_hostile", "Hostile", "MetaHostile", "holder.held", "holder.meta", "holder.cls", "holder.module", "module",
    "module.member", "words", "words['plain']", "words[1]", "words['word']", "words[2]", "words['meta']", "mapping",
    "mapping['key']", "sequence", "sequence[0]", "items[0]", "items[1]", "items[2]", "items[-1]", "pair[0]", "pair[1]", "function",
    "function.note", "function.__wrapped__", "function.__defaults__", "function.__annotations__", "partial", "cached", "Plain",
    "plain", "plain.slot", "plain.empty", "plain.attribute", "plain.by_class", "Plain.by_class", "plain.static", "Subclass",
    "hostile.prop", "hostile.data", "hostile.bindable", "hostile.lazy", "hostile.method", "hostile.plain", "hostile.__class__",
    "hostile.__dict__", "meta_hostile.prop", "meta_hostile.method", "meta_hostile.__class__", "MetaHostile.method",
    "MetaHostile.prop", "MetaHostile.__name__", "MetaHostile.data", "Hostile.data", "Hostile.bindable", "Hostile.__doc__",
    "hostile.method.__func__", "hostile.method.__self__", "holder.__class__", "Meta", "Meta.__call__", "hostile()", "hostile[0]",
    "Word", "Number", "renamed", "Holding", "holding", "holding.method", "partial.args", "partial.keywords",
]
