"""mLoRA: an adapter whose product B A scales the base's weights entry by entry."""

from wsr.fields.lora import Adapter


class MultiplicativeLoRA(Adapter):
    """mLoRA: W' = W̄ ⊙ (B A), equation 3. The mask freezes entries of A at 0 (section 3.4)."""

    additive = False

    def start(self, noise, init="centered", sigma=0.02):
        """Returns the start of a fit. `centered`: A = 1 + σ ε and B = (1 + σ ε)/r, where the trained entries of A are
        scaled so that every column of B A averages 1: the fit starts at the base's mean instance. `lognormal`:
        the same with exp(σ ε) in place of 1 + σ ε: all factors are positive, however far apart two starts are (at σ =
        0.5, 0.96 and 1.52 their cosines are 0.84, 0.55 and 0.13). `normal`: A and B ~ N(0, 1), so that the sign of each
        rank component is random."""
        a, b = self.pairs(noise[None])  # (l, 1, r, c), (l, 1, c, r)
        if init == "normal":
            return noise
        if init == "lognormal":
            a, b = (sigma * a).exp(), (sigma * b).exp() / self.rank
        else:
            a, b = 1 + sigma * a, (1 + sigma * b) / self.rank
        a = a * self.pairs(self.layout.free[None].float())[0]
        column = b.mean(-2, keepdim=True) @ a  # (l, 1, 1, c): the mean of each column of B A
        return self.joined(a / column, b)[0]
