"""Checks files by the ONNX project's own checker, types and shapes included: python3 check.py MODEL..."""
import sys

import onnx

for path in sys.argv[1:]:
    onnx.checker.check_model(onnx.load(path), full_check=True)
