using TorchSharp.Modules;

namespace Smae.Training;

/// <summary>
/// The loss of SMAE (Charisoudis, Ekman von Huth and Jansson 2023): <c>(1 - alpha) * pixel + alpha * c * perceptual</c>, where perceptual is the mean squared
/// error between a critic's features of the image and of the reconstruction.
/// </summary>
public sealed record SemanticObjective : Objective
{
    private readonly Func<nn.Module<Tensor, Tensor>> _critic;
    private readonly bool _ownsCritic;

    internal SemanticObjective(double alpha, string critic)
        : this(alpha, critic, () => SqueezeNet.Load(critic, SqueezeNet.CriticDepth), ownsCritic: true)
    {
    }

    internal SemanticObjective(double alpha, nn.Module<Tensor, Tensor> critic) : this(alpha, critic.GetType().Name, () => critic, ownsCritic: false)
    {
    }

    private SemanticObjective(double alpha, string name, Func<nn.Module<Tensor, Tensor>> critic, bool ownsCritic)
    {
        if (!(alpha is >= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(alpha), alpha, "Alpha must lie between 0 (pixels alone) and 1 (features alone).");
        (Alpha, Critic, _critic, _ownsCritic) = (alpha, name, critic, ownsCritic);
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
            if (Alpha == 0) return base.Identity;
            nn.Module<Tensor, Tensor> critic = _critic();
            using IDisposable? owned = _ownsCritic ? critic : null;
            return $"{base.Identity} {TensorHash.Of(critic.state_dict().Select(entry => (entry.Key, entry.Value)))}";
        }
    }

    /// <inheritdoc/>
    protected internal override IEnumerable<string> Faults(MaePretrainOptions options) =>
        Expect(CalibrationBatches, CalibrationBatches >= 1 || Scale != PerceptualScale.Calibrated, "at least 1");

    /// <inheritdoc/>
    public override ObjectiveRun Begin(MaskedAutoencoder model, MaePretrainOptions options, Device device) => new Run(this, model, device);

    private sealed class Run : ObjectiveRun
    {
        private const int ImagesAtOnce = 16;
        private readonly SemanticObjective _objective;
        private readonly MaskedAutoencoder _model;
        private readonly PixelObjective _pixel;
        private readonly nn.Module<Tensor, Tensor>? _critic;
        private readonly Tensor _scales;     // [2]: what pixel and perceptual loss are multiplied by
        private readonly Tensor _batches;    // [1]: batches that the scales were measured on
        private readonly Parameter? _logVariances;
        private bool _measured;

        public Run(SemanticObjective objective, MaskedAutoencoder model, Device device)
        {
            (_objective, _model, _pixel) = (objective, model, Pixel(normalizePatches: false, objective.HiddenOnly));
            _scales = Own(zeros([2], device: device).DetachFromDisposeScope());
            _batches = Own(zeros([1], device: device).DetachFromDisposeScope());
            if (objective.Scale == PerceptualScale.Uncertainty)
            {
                _logVariances = Own(new Parameter(tensor((float[])[-1, -6], device: device)));
                _logVariances.DetachFromDisposeScope();
            }
            if (objective.Alpha == 0) return;
            _critic = objective._critic();
            if (objective._ownsCritic) Own(_critic);
            _critic.to(device);
            _critic.eval();   // frozen: gradients go through it to the reconstruction
            foreach (Parameter parameter in _critic.parameters()) parameter.requires_grad_(false);
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
            (long count, long whole) = (batch.Images.size(0), batch.WholeCount);
            for (long from = 0; from < count; from += ImagesAtOnce)   // the critic's features of a whole batch would be the most memory that the run takes
            {
                using DisposeScope scope = NewDisposeScope();
                long images = Math.Min(ImagesAtOnce, count - from);
                (Tensor ofPixels, Tensor? ofFeatures) = Losses(batch.Images.narrow(0, from, images), batch.Mask.Narrow(from, images));
                pixel += ofPixels.AsDouble() * images / whole;
                perceptual += ofFeatures!.AsDouble() * images / whole;
            }
            if (training) _model.train();
            double[] ofAll = Ranks.Sum("the scale of the losses", pixel, perceptual);
            Measure(ofAll[0], ofAll[1]);
        }

        public override Tensor Loss(PretrainBatch batch)
        {
            (Tensor pixel, Tensor? perceptual) = Losses(batch.Images, batch.Mask);
            if (perceptual is null) return pixel;
            double alpha = _objective.Alpha;
            if (_logVariances is not null)
            {
                Tensor weights = _logVariances.neg().exp();
                Tensor Weighed(Tensor loss, int i) => (loss * weights[i]).Plus(_logVariances[i]);
                return Weighed(pixel, 0).Times(1 - alpha).Plus(Weighed(perceptual, 1).Times(alpha));
            }
            return (pixel.Times(1 - alpha) * _scales[0]).Plus(perceptual.Times(alpha) * _scales[1]);
        }

        /// <summary>The two losses; the critic's is null without one.</summary>
        private (Tensor Pixel, Tensor? Perceptual) Losses(Tensor images, PatchMask mask)
        {
            Reconstruction reconstruction = _model.forward(images, mask);
            Tensor pixel = _pixel.Loss(reconstruction);
            if (_critic is null) return (pixel, null);
            Tensor target;
            using (no_grad()) target = Features(images);
            return (pixel, (Features(Patches.ToImages(reconstruction.Prediction, _model.Config)) - target).Squared().mean());
        }

        private Tensor Features(Tensor images)
        {
            Tensor features = _critic!.forward(images);
            return _objective.Sigmoid ? features.sigmoid() : features;
        }

        // A run that goes on has them in its state.
        private bool Measured => _measured = _measured
            || _batches.cpu().item<float>() >= (_objective.Scale == PerceptualScale.FirstBatch ? 1 : _objective.CalibrationBatches);

        private void Measure(double pixel, double perceptual)
        {
            float seen = _batches.cpu().item<float>();
            (double, double) measured = _objective.Scale == PerceptualScale.FirstBatch ? (1, pixel / perceptual) : (1 / pixel, 1 / perceptual);
            Tensor added = tensor((float[])[(float)measured.Item1, (float)measured.Item2], device: _scales.device);
            _scales.MultiplyInPlace(seen / (seen + 1)).AddInPlace(added.DividedBy(seen + 1));
            _batches.AddInPlace(1);
        }
    }
}

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
