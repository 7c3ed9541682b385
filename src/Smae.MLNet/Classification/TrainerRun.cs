using Smae.Training;
using TorchSharp;

namespace Smae.MLNet;

/// <summary>What one call of a trainer's <c>Fit</c> trains on.</summary>
/// <param name="Training">Images and labels.</param>
/// <param name="Validation">The same, looked at after an epoch; null is none.</param>
/// <param name="ClassNames">Names of all classes.</param>
/// <param name="Seed">Seed of all that is random.</param>
/// <param name="Device">Where; null is the CPU.</param>
/// <param name="Log">Takes lines for people.</param>
internal sealed record TrainerRun(
    LabelledImages Training, LabelledImages? Validation, IReadOnlyList<string> ClassNames, int Seed, torch.Device? Device, Action<string> Log);
