"""``python -m proofs_check``: check certificates.

    python -m proofs_check verify certificate.json [--data FOLDER]
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from proofs_check.verify import CertificateError, verify_boxes, verify_sample
from theory import cli
from theory.record import Record
from theory.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

SCHEMA = "tightrope.certificate/1"


def main(argv: Sequence[str] | None = None) -> int:
    """``python -m proofs_check``."""
    parser = cli.parser("proofs_check", __doc__ or "", "verify certificate.json")
    commands = parser.add_subparsers(dest="task", required=True, metavar="COMMAND")
    verify = commands.add_parser("verify", help="check the certificate of a least robust risk, by code of its own")
    verify.add_argument("file", help="a certificate, as theory.optimal writes it")
    verify.add_argument("--data", metavar="FOLDER", help="the sample's data, if not where the certificate says")
    cli.add_output_options(verify)
    return cli.run(parser, _verify, argv)


def _verify(args: argparse.Namespace) -> int:
    data: dict[str, Any] = Record.read(args.file, schema=SCHEMA).data
    try:
        value = _checked(data, args.data)
    except (CertificateError, KeyError, IndexError, ArithmeticError) as error:
        fault = str(error) if isinstance(error, CertificateError) else f"it is not complete ({error!r})"
        sys.stderr.write(f"proofs_check: {args.file} proves nothing: {fault}\n")
        return 1
    row = {"certificate": args.file, "kind": data["kind"], "eps": data["eps"], "value": value, "verdict": "PROVED"}
    cli.emit(Table(list(row), [row]), args, schema="tightrope.verify/1")
    return 0


def _checked(data: dict[str, Any], folder: str | None) -> Fraction:
    if data["kind"] == "boxes":
        return verify_boxes(data)
    from theory.samples import load_sample

    sample = load_sample(folder or data["source"])
    labels = {str(label): label for label in sample.classes}
    if not set(data["classes"]) <= set(labels):
        raise CertificateError(f"the data have no classes {data['classes']}")
    chosen = sample.only(*(labels[label] for label in data["classes"]))
    if chosen.digest() != data["digest"]:
        raise CertificateError("the data are not those that the certificate speaks of: their digest differs")
    return verify_sample(data, chosen.x, chosen.y, chosen.scale)


if __name__ == "__main__":
    sys.exit(main())
