"""A small claims.json, with a claim of every verdict and of every shape that a record may have."""

from typing import Any


def toy_claims() -> dict[str, Any]:
    claims = [
        _claim("table1.ffhq_psnr.faces.lora>mlp", "confirmed", _both("lora", "mlp"), {"lora": 35.69, "mlp": 35.11},
               command="wsr reproduce table1 --data faces"),
        _claim("table1.iou.shapes10.lora>mlp", "open", _both("lora", "mlp"), {"lora": 0.9, "mlp": 0.8},
               data="shapes10", reasons=["a side has fewer than 3 seeds"],
               command="wsr reproduce table1 --data shapes10"),
        _claim("table1.iou.shapes10.mlora>mlp", "open", [], {"mlora": 0.85, "mlp": 0.8}, difference=None,
               data="shapes10", reasons=["not measured: no report has both values"]),
        _claim("figure3.steady.mlora-asym", "refuted", _both("mlora-asym, λ = 1, normal", "mlora-asym, λ = 0, own"),
               {"figure": "no numbers are printed"}, data="shapes10", difference=_difference(-0.5, -0.6, -0.4),
               more={"series": "normal", "start cosine": -0.0025, "start cosines of all series": {"own": [1.0, 1.0]}}),
        _claim("theorem2", "confirmed", [], {}, data="random matrices", difference=_difference(1.0, 1.0, 1.0)),
        _claim("figure5", "not comparable", [], {}, data="shapes10, faces", difference=None,
               reasons=["it is judged by eye, and `no` number is printed"]),
        {"group": "statements", "id": "statement.fits", "claim": "adapters reconstruct better", "where": "Section 4.1",
         "paper": {}, "parts": ["table1.ffhq_psnr.faces.lora>mlp", "table1.iou.shapes10.lora>mlp"], "verdict": "open",
         "headline": True},
    ]  # fmt: skip
    words = ("confirmed", "refuted", "open", "not comparable")
    return {
        "paper": "A paper", "preset": "cpu", "made of": {}, "rule": ["A claim is about an order.", "It is **open**."],
        "counts": {word: sum(one["verdict"] == word for one in claims) for word in words},
        "groups": [
            {"name": name, "title": title, "intro": intro}
            for name, title, intro in (
                ("table1", "Table 1: reconstruction", "PSNR of 300 steps at the `cpu` preset."),
                ("figure3", "Figure 3: one linear mode", "30 shapes."),
                ("theorems", "Theorems 1 and 2", ""), ("figures", "Figures: pictures", ""),
                ("statements", "Statements", "Each consists of claims above."),
            )
        ],
        "claims": claims, "cells": _cells(), "scope": [
            {"paper": "A paper", "what": "data", "here": "drawn faces", "lacking": "photographs"},
        ],
    }  # fmt: skip


def _both(one: str, other: str) -> list[dict[str, Any]]:
    return [{"name": one, "mean": 32.9107, "half": 0.43, "count": 3}, {"name": other, "mean": 32.3535, "half": None}]


def _difference(mean: float, low: float, high: float) -> dict[str, float | None]:
    measured = low != high
    return {"mean": mean, "low": low, "high": high, "p": 6e-8 if measured else None,
            "p by Holm": 0.0123 if measured else None}  # fmt: skip


def _claim(name: str, verdict: str, ours: list, paper: dict, **more: Any) -> dict[str, Any]:
    group = {"theorem2": "theorems", "figure5": "figures"}.get(name, name.partition(".")[0])
    return {
        "group": group, "id": name, "claim": f"claim of {name}", "where": "Section 4", "paper": paper,
        "measure": "PSNR", "ours": ours, "difference": _difference(0.56, 0.37, 0.75), "n": 100, "seeds": 1,
        "data": "faces", "preset": "cpu", "split": "heldout", "features": None, "verdict": verdict, "reasons": [],
        "notes": ["fewer steps than the paper's"], "more": {}, "reports": [], "command": "wsr reproduce claims", **more,
    }  # fmt: skip


def _cells() -> list[dict[str, Any]]:
    psnr, iou = "PSNR on FFHQ; ours on faces", "IoU; ours on shapes10"
    rows = (
        ("MLP", psnr, 35.11, 32.3535113), ("LoRA", psnr, 35.69, 32.9107000001),
        ("MLP", iou, 0.8, 32.3535113), ("LoRA", iou, 0.9, 32.9107000001), ("mLoRA", iou, 0.85, None),
    )  # fmt: skip
    return [
        {"group": "table1", "row": row, "column": column, "paper": paper, "ours": ours,
         "half": 0.43 if ours else None, "count": 100 if ours else None, "seeds": 1 if ours else None}
        for row, column, paper, ours in rows
    ]  # fmt: skip
