namespace Smae.Training;

/// <summary>How the pixel loss and the perceptual loss of SMAE are brought to one scale.</summary>
public enum PerceptualScale
{
    /// <summary>The perceptual loss times <c>c</c> = initial pixel loss / initial perceptual loss, measured on the first batch (Eq. 2 of the paper).</summary>
    FirstBatch,

    /// <summary>Each loss times the mean of its inverse over the first batches (the paper's code, 10 batches).</summary>
    Calibrated,

    /// <summary>Each loss times exp(-s), plus s, with a learned log-variance s for each (Kendall et al. 2018; -1 and -6 at the start, as in the paper's code).</summary>
    Uncertainty,
}
