"""How small and fast can a facial age or attractiveness network get before it gets worse?"""

__version__ = "0.1.0"
