"""Pretrained families, one file each."""
