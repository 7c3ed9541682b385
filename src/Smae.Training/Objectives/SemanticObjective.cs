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
        private const int ImagesAtOnce = 16;
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

        // The scales are there before; gradients of log-variances are means too.
        public override bool IsMeanOverImages => true;

        public override void BatchReady(PretrainBatch batch)
        {
            if (_critic is null || _logVariances is not null || Measured) return;
            bool training = _model.training;
            _model.eval();   // a measure has no use for dropout
            double pixel = 0, perceptual = 0;
            int count = (int)batch.Images.size(0);
            for (int from = 0; from < count; from += ImagesAtOnce)   // the critic's features of a whole batch would be the most memory that the run takes
            {
                using DisposeScope scope = NewDisposeScope();
                PretrainBatch part = batch.Slice(from, Math.Min(count, from + ImagesAtOnce));
                (Tensor ofPixels, Tensor? ofFeatures) = Losses(part);
                double share = (double)part.Images.size(0) / count;
                pixel += share * ofPixels.ToDouble();
                perceptual += share * ofFeatures!.ToDouble();
            }
            if (training) _model.train();
            Measure(pixel, perceptual);
        }

        public override Tensor Loss(PretrainBatch batch)
        {
            (Tensor pixel, Tensor? perceptual) = Losses(batch);
            if (perceptual is null) return pixel;
            double alpha = _objective.Alpha;
            if (_logVariances is not null)
            {
                Tensor weights = _logVariances.neg().exp();
                return (1 - alpha) * (pixel * weights[0] + _logVariances[0]) + alpha * (perceptual * weights[1] + _logVariances[1]);
            }
            return (1 - alpha) * pixel * _scales[0] + alpha * perceptual * _scales[1];
        }

        /// <summary>The two losses; the critic's is null without one.</summary>
        private (Tensor Pixel, Tensor? Perceptual) Losses(PretrainBatch batch)
        {
            Reconstruction reconstruction = _model.forward(batch.Images, batch.Mask);
            Tensor pixel = _pixel.Loss(reconstruction);
            return (pixel, _critic is null ? null : Perceptual(batch.Images, Patches.ToImages(reconstruction.Prediction, _model.Config)));
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

        private void Measure(double pixel, double perceptual)
        {
            float seen = _batches.cpu().item<float>();
            (double, double) measured = _objective.Scale == PerceptualScale.FirstBatch ? (1, pixel / perceptual) : (1 / pixel, 1 / perceptual);
            _scales.mul_(seen / (seen + 1)).add_(tensor((float[])[(float)measured.Item1, (float)measured.Item2], device: _scales.device) / (seen + 1));
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
