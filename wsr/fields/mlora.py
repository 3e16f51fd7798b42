"""mLoRA: an adapter whose product scales the base's weights entry by entry."""

from wsr.fields.lora import Adapter


class MultiplicativeLoRA(Adapter):
    """mLoRA: W' = W̄ ⊙ (B A), equation 3. Frozen entries of A are 0."""

    additive = False

    def start(self, noise, init="centered", sigma=0.02):
        """`centered`: A = 1 + σ ε, B = (1 + σ ε)/r, with the free entries of A scaled so that B A averages 1 in every
        column: fitting starts at the mean of the base. `normal`: A and B ~ N(0, 1), each pair's sign left open."""
        a, b = self.pairs(noise[None])  # (l, 1, r, c), (l, 1, c, r)
        if init == "normal":
            return noise
        a, b = 1 + sigma * a, (1 + sigma * b) / self.rank
        a = a * self.pairs(self.layout.free[None].float())[0]
        column = b.mean(-2, keepdim=True) @ a  # (l, 1, 1, c): the mean over outputs of B A
        return self.joined(a / column, b)[0]
