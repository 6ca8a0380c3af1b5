"""The processor kernels are compiled for, and machine code made and loaded for it."""

from __future__ import annotations

import ctypes
import functools
from dataclasses import dataclass
from typing import Any

import llvmlite
import llvmlite.binding as llvm

__all__ = ["Host", "assemble", "host", "load"]


@dataclass(frozen=True)
class Host:
    """What decides about machine code.

    Parameters
    ----------
    triple, cpu, features : str
        As LLVM names them.
    llvm : str
        Versions of the compiler.
    """

    triple: str
    cpu: str
    features: str
    llvm: str

    def lanes(self, dtype: str) -> int:
        """Numbers in a row: a vector of 512 bits where there are such, else one or two of fewer."""
        width = 64 if "+avx512f" in self.features.split(",") else 32
        return width // (4 if dtype == "float32" else 8)


@functools.cache
def host() -> Host:
    """The processor of this machine."""
    features = llvm.get_host_cpu_features().flatten()
    versions = f"llvmlite {llvmlite.__version__}, LLVM {'.'.join(map(str, llvm.llvm_version_info))}"
    return Host(llvm.get_process_triple(), llvm.get_host_cpu_name(), features, versions)


def _target() -> Any:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    here = host()
    target = llvm.Target.from_triple(here.triple)
    return target.create_target_machine(
        cpu=here.cpu, features=here.features, opt=3, reloc="pic", codemodel="small", jit=True
    )


def assemble(text: str) -> bytes:
    """Machine code of an optimised LLVM module, as an object file."""
    module = llvm.parse_assembly(text)
    return bytes(_target().emit_object(module))


# Engines own the memory the code lies in: they live as long as the process.
_loaded: list[Any] = []


def load(code: bytes, name: str, prototype: Any) -> Any:
    """Function of an object file, as a ctypes function that releases the interpreter lock.

    Parameters
    ----------
    code : bytes
    name : str
        Of the function in it.
    prototype : ctypes function type
    """
    # In one piece of memory: code refers to its constants by offsets of 32 bits, and pieces that
    # lie further apart, as they do now and then in a large process, end it.
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _target(), use_lmm=True)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    _loaded.append(engine)
    return prototype(ctypes.c_void_p(engine.get_function_address(name)).value)
