using System.Diagnostics;
using Microsoft.ML;
using Smae.MLNet;
using TorchSharp;

namespace Reproduction;

/// <summary>What the command line asked for.</summary>
internal sealed record ReproductionSettings(
    DirectoryInfo TinyImageNet, DirectoryInfo Cub, DirectoryInfo Output, Scale Scale, IReadOnlyList<Method> Methods, int Seeds, int? GpuDeviceId,
    bool Resume, FileInfo? Teacher, bool ProbesOnly);

/// <summary>Reads the images, runs the experiment, writes the table.</summary>
internal static class ReproductionRun
{
    public static void Run(ReproductionSettings settings, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        torch.Device device = Device(settings.GpuDeviceId);
        Plan plan = Plans.Of(settings.Scale) with { Teacher = settings.Teacher?.FullName ?? "" };
        Check(settings, plan);
        settings.Output.Create();
        Results results = Results.Open(settings);

        var ml = new MLContext(seed: 1);
        using LabelledSet tinyImageNet =
            LabelledSet.Load(ml, settings.TinyImageNet, ImageFolderSplit.Validation, plan.Mae.Preprocessing, cancellation);
        using LabelledSet cub = LabelledSet.Load(ml, settings.Cub, ImageFolderSplit.Test, plan.Mae.Preprocessing, cancellation);
        Console.WriteLine($"{tinyImageNet}\n{cub}");

        string path = Path.Combine(settings.Output.FullName, "table.md"), table = "";
        for (int seed = 1; seed <= settings.Seeds; seed++)
        {
            string folder = Path.Combine(settings.Output.FullName, $"seed{seed}");
            var experiment = new Experiment(tinyImageNet, cub, plan, results, device, seed, folder, settings.ProbesOnly, cancellation);
            experiment.Prepare(settings.Methods);
            foreach (Method method in settings.Methods)
            {
                experiment.Measure(method);
                table = ResultTable.Of(settings.Methods, results);
                Results.WriteWhole(path, table);
            }
        }
        Console.WriteLine($"\nTop-1 in % on {tinyImageNet.Test.Count} and {cub.Test.Count} test images:\n\n{table}");
        Console.WriteLine($"{settings.Output.FullName}: table.md, results.json, weights ({clock.Elapsed:hh\\:mm\\:ss})");
    }

    /// <summary>Says what is wrong with a row before hours are spent on the rows before it.</summary>
    /// <exception cref="ArgumentException">A method cannot be trained as it is set.</exception>
    private static void Check(ReproductionSettings settings, Plan plan)
    {
        foreach (Method method in settings.Methods)
        {
            if (method.Helper == Helper.Teacher && plan is { Teacher: "", TeacherTraining: null })
                throw new ArgumentException(
                    $"{method.Key} at --scale {settings.Scale.ToString().ToLowerInvariant()} learns from a published teacher: give MAE's ViT-L as a "
                    + "safetensors file with --teacher FILE, or name other rows with --methods.");
            bool trainedFirst = method.Helper == Helper.Critic || (method.Helper == Helper.Teacher && plan.Teacher.Length == 0);
            if (!trainedFirst) method.Pretraining?.Invoke(plan).Validate();
        }
    }

    private static torch.Device Device(int? gpu)
    {
        if (gpu is null) return torch.CPU;
        return torch.cuda.is_available()
            ? torch.device($"cuda:{gpu}")
            : throw new InvalidOperationException($"--gpu {gpu}: there is no CUDA device, or libtorch is built without CUDA (see the README).");
    }
}
