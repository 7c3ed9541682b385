using System.Diagnostics;
using PretrainOnYourPhotos;
using Smae.Export;
using Smae.Training;

namespace Examples.Tests;

/// <summary>The program of <c>examples/PretrainOnYourPhotos</c> on drawn images.</summary>
[TestClass]
public sealed class PretrainOnYourPhotosTests
{
    [TestMethod]
    public void AStoppedRunGoesOnAndEndsWithTheSameEncoderOnnxFileAndReport()
    {
        using DrawnFolder folder = new DrawnFolder().Draw("photos", classes: 2, perClass: 6);
        File.WriteAllText(folder["photos", "broken.png"], "no picture");
        string[] command = ["--photos", folder["photos"], "--out", folder["out"], "--image-size", "16", "--checkpoint-minutes", "0"];
        string[] three = [.. command, "--epochs", "3"];
        (int exit, string output) = ExampleProgram.Run<PretrainSettings>(three);
        Assert.AreEqual(0, exit, output);
        StringAssert.Contains(output, "broken.png");
        byte[] weights = File.ReadAllBytes(folder["out", "encoder.safetensors"]);

        // As a run leaves it that was killed in its last epoch.
        string last = Directory.GetFiles(folder["out", "checkpoints"]).Order(StringComparer.Ordinal).Last();
        File.Delete(last);
        File.Delete(folder["out", "encoder.safetensors"]);
        (exit, output) = ExampleProgram.Run<PretrainSettings>(three);
        Assert.AreEqual(0, exit, output);
        Assert.IsFalse(output.Contains("epoch 1/3"), output);
        StringAssert.Contains(output, "epoch 3/3");
        CollectionAssert.AreEqual(weights, File.ReadAllBytes(folder["out", "encoder.safetensors"]), "not what the run that was not stopped gave");

        OnnxModelInfo onnx = OnnxModelInfo.Read(folder["out", "encoder.onnx"]);
        Assert.AreEqual((192, 16), (onnx.EmbedDim, onnx.Preprocessing.Height));
        using ImageEncoder encoder = ImageEncoder.Load(folder["out", "encoder.safetensors"]);
        Assert.AreEqual(192, encoder.EmbedDim);
        string report = File.ReadAllText(folder["out", "report.html"]);
        foreach (string part in (string[])["Reconstructions", "Neighbours", "<svg", "data:image/png", "LearningRate"])
            StringAssert.Contains(report, part);

        folder.Draw("photos/later", classes: 1, perClass: 2);
        (exit, output) = ExampleProgram.Run<PretrainSettings>([.. command, "--epochs", "4", "--go-on"]);
        Assert.AreEqual(0, exit, output);
        foreach (string part in (string[])["Kept: weights", "3 epochs done", "Images 12 images", "Epochs 3 -> 4", "epoch 4/4"]) StringAssert.Contains(output, part);
        Assert.IsFalse(output.Contains("epoch 3/4"), output);
    }

    [TestMethod]
    [OSCondition(OperatingSystems.Linux | OperatingSystems.OSX)]
    public void OneSignalStopsAndSavesAndASecondEndsTheProgramWithoutACrash()
    {
        using DrawnFolder folder = new DrawnFolder().Draw("photos", classes: 2, perClass: 6);
        string[] command = ["--photos", folder["photos"], "--out", folder["out"], "--image-size", "16", "--epochs", "1000000"];
        using (Process once = Training(out Task<string> rest))
        {
            Signal(once);
            once.WaitForExit();
            StringAssert.Contains(rest.Result, "Stopped: the same command goes on");
            Assert.AreEqual(130, once.ExitCode);
        }
        using (Process twice = Training(out Task<string> rest))
        {
            Signal(twice);
            Signal(twice);
            twice.WaitForExit();
            Assert.IsFalse(rest.Result.Contains("   at "), rest.Result);   // a stack
            Assert.IsTrue(twice.ExitCode is 143 or 130, $"{twice.ExitCode}");   // the latter: it had stopped before the second came
        }

        // Not SIGINT, which is ignored in a shell's background job.
        void Signal(Process process) => Process.Start("kill", ["-TERM", $"{process.Id}"]).WaitForExit();

        Process Training(out Task<string> errors)
        {
            Process process = BuiltProgram.Start("PretrainOnYourPhotos", command);
            errors = process.StandardError.ReadToEndAsync();
            while (process.StandardOutput.ReadLine() is { } line && !line.StartsWith("epoch ", StringComparison.Ordinal)) continue;
            _ = process.StandardOutput.ReadToEndAsync();
            return process;
        }
    }

    [TestMethod]
    public void AFolderWithoutPhotosIsAnErrorThatNamesIt()
    {
        using var folder = new DrawnFolder();
        (int exit, string output) = ExampleProgram.Run<PretrainSettings>("--photos", folder.Path, "--out", folder["out"]);
        Assert.AreEqual(1, exit);
        StringAssert.Contains(output, folder.Path);
    }
}
