using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// The loss of SMAE (Charisoudis, Ekman von Huth and Jansson 2023): <c>(1 - alpha) * pixel + alpha * c * perceptual</c>, where perceptual is the mean squared
/// error between a critic's features of the image and of the reconstruction.
/// </summary>
public sealed record SemanticObjective : Objective
{
    private readonly Func<CriticFeatures> _critic;

    internal SemanticObjective(double alpha, string criticName, Func<CriticFeatures> critic)
    {
        if (!(alpha is >= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(alpha), alpha, "Alpha must lie between 0 (pixels alone) and 1 (features alone).");
        (Alpha, Critic, _critic) = (alpha, criticName, critic);
    }

    /// <summary>Weight of the features, in [0, 1]. The paper's best is 0.5.</summary>
    public double Alpha { get; }

    /// <summary>The critic: its file, or the name of its type.</summary>
    public string Critic { get; }

    /// <summary>How the two losses are brought to one scale. Default <see cref="PerceptualScale.FirstBatch"/>.</summary>
    public PerceptualScale Scale { get; init; } = PerceptualScale.FirstBatch;

    /// <summary>Batches that <see cref="PerceptualScale.Calibrated"/> looks at. Default 10.</summary>
    public int CalibrationBatches { get; init; } = 10;

    /// <summary>Whether a sigmoid is put on the features, as in the paper's code; Eq. 2 has none. Default false.</summary>
    public bool Sigmoid { get; init; }

    /// <summary>Whether the pixel loss counts hidden patches only, as MAE's does; the paper's counts all. Default false.</summary>
    public bool HiddenOnly { get; init; }

    /// <inheritdoc/>
    protected internal override string Identity
    {
        get
        {
            if (Alpha == 0) return ToString();
            using CriticFeatures critic = _critic();
            return $"{this} {critic.Hash()}";   // a file keeps its name when another critic is saved there
        }
    }

    /// <inheritdoc/>
    public override ObjectiveRun Begin(MaskedAutoencoder model, MaePretrainOptions options, Device device) => new Run(this, model, device);

    private sealed class Run : ObjectiveRun
    {
        private readonly SemanticObjective _objective;
        private readonly MaskedAutoencoder _model;
        private readonly PixelObjective _pixel;
        private readonly CriticFeatures? _critic;
        private readonly Tensor _scales;     // [2]: what pixel and perceptual loss are multiplied by
        private readonly Tensor _batches;    // [1]: batches that the scales were measured on
        private readonly Parameter? _logVariances;
        private bool _measured;

        public Run(SemanticObjective objective, MaskedAutoencoder model, Device device)
        {
            (_objective, _model, _pixel) = (objective, model, Pixel(normalizePatches: false, objective.HiddenOnly));
            if (objective.Alpha > 0) _critic = objective._critic().To(device);
            _scales = zeros([2], device: device).DetachFromDisposeScope();
            _batches = zeros([1], device: device).DetachFromDisposeScope();
            if (objective.Scale == PerceptualScale.Uncertainty)
            {
                _logVariances = new Parameter(tensor((float[])[-1, -6], device: device));
                _logVariances.DetachFromDisposeScope();
            }
        }

        public override IReadOnlyList<Parameter> Parameters => _logVariances is null ? [] : [_logVariances];

        public override IEnumerable<(string Name, Tensor Tensor)> State
        {
            get
            {
                yield return ("scales", _scales);
                yield return ("batches", _batches);
                if (_logVariances is not null) yield return ("log_variances", _logVariances);
            }
        }

        // Once the scales are measured, which is on whole batches; log-variances get gradients that are means too.
        public override bool IsMeanOverImages => _critic is null || _logVariances is not null || Measured;

        public override Tensor Loss(PretrainBatch batch)
        {
            Reconstruction reconstruction = _model.forward(batch.Images, batch.Mask);
            Tensor pixel = _pixel.Loss(reconstruction);
            if (_critic is null) return pixel;
            Tensor perceptual = Perceptual(batch.Images, Patches.ToImages(reconstruction.Prediction, _model.Config));
            double alpha = _objective.Alpha;
            if (_logVariances is not null)
            {
                Tensor weights = _logVariances.neg().exp();
                return (1 - alpha) * (pixel * weights[0] + _logVariances[0]) + alpha * (perceptual * weights[1] + _logVariances[1]);
            }
            Measure(pixel, perceptual);
            return (1 - alpha) * pixel * _scales[0] + alpha * perceptual * _scales[1];
        }

        private Tensor Perceptual(Tensor images, Tensor reconstructed)
        {
            Tensor target;
            using (no_grad()) target = Features(images);
            return (Features(reconstructed) - target).square().mean();
        }

        private Tensor Features(Tensor images)
        {
            Tensor features = _critic!.Of(images);
            return _objective.Sigmoid ? features.sigmoid() : features;
        }

        // A run that goes on has them in its state.
        private bool Measured => _measured = _measured
            || _batches.cpu().item<float>() >= (_objective.Scale == PerceptualScale.FirstBatch ? 1 : _objective.CalibrationBatches);

        private void Measure(Tensor pixel, Tensor perceptual)
        {
            if (Measured) return;
            using var noGrad = no_grad();
            float seen = _batches.cpu().item<float>();
            Tensor measured = _objective.Scale == PerceptualScale.FirstBatch
                ? stack([ones_like(pixel), pixel / perceptual])
                : stack([pixel.reciprocal(), perceptual.reciprocal()]);
            _scales.mul_(seen / (seen + 1)).add_(measured.detach() / (seen + 1));
            _batches.add_(1);
        }

        public override void Dispose()
        {
            _critic?.Dispose();
            _scales.Dispose();
            _batches.Dispose();
            _logVariances?.Dispose();
            base.Dispose();
        }
    }
}
