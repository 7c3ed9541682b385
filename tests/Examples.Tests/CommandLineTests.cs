using EmbedFolder;
using FewLabels;
using ImageSearch;
using PretrainOnYourPhotos;
using Smae.Training;
using TextAndImages;

namespace Examples.Tests;

/// <summary>
/// A value that an option does not take ends a program with one line that names the option, the value and what is expected, before anything is written.
/// </summary>
[TestClass]
public sealed class CommandLineTests : IDisposable
{
    private static readonly string[] s_noNumber = ["rubbish", "", " ", "NaN", "Infinity", "-Infinity", "-1", "1e400", "99999999999999999999", "0,5", "0x10", "½"];
    private readonly DrawnFolder _folder = new DrawnFolder().Draw("images", classes: 2, perClass: 1);

    public CommandLineTests()
    {
        File.WriteAllText(_folder["file"], "");
        using var encoder = ImageEncoder.Create(VisionTransformerConfig.VitTiny16.ForImages(16, patchSize: 8) with { EmbedDim = 20, Depth = 1, NumHeads = 2 });
        encoder.Save(_folder["encoder.safetensors"]);
    }

    private string Images => _folder["images"];

    private string Encoder => _folder["encoder.safetensors"];

    public void Dispose() => _folder.Dispose();

    [TestMethod]
    public void EmbedFolder() => AssertRefused(
        ExampleProgram.Run<Part>, ["--images", Images, "--encoder", Encoder, "--out", _folder["out"]],
        numbers: ["--batch", "--rows", "--gpu"], folders: ["--images"], files: ["--encoder"], outputs: ["--out"], choices: ["--precision", "--part"]);

    [TestMethod]
    public void FewLabels() => AssertRefused(
        ExampleProgram.Run<FewLabelsSettings>, ["--data", Images, "--encoder", Encoder, "--out", _folder["out"]],
        numbers: ["--percent", "--epochs", "--steps", "--image-size", "--gpu"], folders: ["--data"], files: ["--encoder"], outputs: ["--out"], choices: ["--seed"]);

    [TestMethod]
    public void ImageSearch()
    {
        AssertRefused(
            ExampleProgram.Run<EmbeddedImages>, ["index", "--images", Images, "--encoder", Encoder, "--index", _folder["out"]],
            numbers: ["--gpu"], folders: ["--images"], files: ["--encoder"], outputs: ["--index"]);
        AssertRefused(ExampleProgram.Run<EmbeddedImages>, ["query", _folder["images", "class0", "0.png"], "--index", _folder["out"]], numbers: ["--gpu", "--count"], outputs: ["--index"]);
        AssertRefused(ExampleProgram.Run<EmbeddedImages>("query", _folder["file"], "--out", Images), "--out", $"'{Images}': expected a file");
    }

    [TestMethod]
    public void PretrainOnYourPhotos() => AssertRefused(
        ExampleProgram.Run<PretrainSettings>, ["--photos", Images, "--out", _folder["out"]],
        numbers: ["--hours", "--epochs", "--image-size", "--checkpoint-minutes", "--gpu"], folders: ["--photos"], outputs: ["--out"], choices: ["--seed"]);

    [TestMethod]
    public void Reproduction()
    {
        AssertRefused(
            ExampleProgram.Run<global::Reproduction.Settings>, ["--images", Images, "--out", _folder["out"]],
            numbers: ["--seeds", "--label-shares", "--rates", "--gpu"], folders: ["--images", "--cub"], files: ["--teacher"], outputs: ["--out"],
            choices: ["--scale", "--methods"]);
        AssertRefused(
            ExampleProgram.Run<global::Reproduction.Settings>("--images", _folder["images", "class0"], "--out", _folder["out"], "--scale", "smoke"), "class0", "one class only");
        Assert.HasCount(0, Directory.GetFiles(_folder["out"]), "the next command would have to say --resume");
    }

    [TestMethod]
    public void TextAndImages() => AssertRefused(
        ExampleProgram.Run<ProductSettings>, ["--products", _folder["file"], "--encoder", Encoder],
        numbers: ["--text-epochs", "--image-epochs", "--gpu"], files: ["--products", "--encoder"], choices: ["--seed"]);

    [TestMethod]
    public void Quickstart()
    {
        AssertRefused(BuiltProgram.Run("Quickstart", "--out", _folder["out"], "--image-size", "33", "--precision", "7", "--labels-per-class", "-1"), "--image-size", "'33'", lines: 3);
        Assert.IsFalse(Directory.Exists(_folder["out"]));
    }

    [TestMethod]
    public void WithoutArgumentsAProgramTellsWhatItTakes()
    {
        (int exit, string output) = ExampleProgram.Run<Part>();
        Assert.AreEqual(1, exit);
        StringAssert.Contains(output, "Images embedded together.");
    }

    private void AssertRefused(
        Func<string[], (int Exit, string Output)> run, string[] command, string[]? numbers = null, string[]? folders = null, string[]? files = null,
        string[]? outputs = null, string[]? choices = null)
    {
        foreach (string option in numbers ?? [])
            foreach (string value in s_noNumber) Try(option, value);
        foreach (string option in folders ?? [])
            foreach (string value in (string[])["", _folder["none"], _folder["file"], _folder["file", "in a file"]]) Try(option, value);
        foreach (string option in files ?? [])
            foreach (string value in (string[])["", _folder["none"], Images]) Try(option, value);
        foreach (string option in outputs ?? [])
            foreach (string value in (string[])["", _folder["file"]]) Try(option, value);
        foreach (string option in choices ?? [])
            foreach (string value in (string[])["rubbish", "", "NaN", "99999999999999999999"]) Try(option, value);
        string last = (numbers ?? files!)[^1];
        AssertRefused(run([.. Without(last), last]), last, "");
        AssertRefused(run([.. Without(last), last, "1", last, "2"]), last, "");
        AssertRefused(run([.. command, "--rubbish"]), "--rubbish", "");
        Assert.IsFalse(Directory.Exists(_folder["out"]), "something was written");

        void Try(string option, string value) => AssertRefused(run([.. Without(option), option, value]), option, value);

        string[] Without(string option)
        {
            int at = Array.IndexOf(command, option);
            return at < 0 ? command : [.. command[..at], .. command[(at + 2)..]];
        }
    }

    private static void AssertRefused((int Exit, string Output) run, string option, string value, int lines = 1)
    {
        string what = $"{option} '{value}': {run.Output}";
        Assert.AreEqual(1, run.Exit, what);
        StringAssert.Contains(run.Output, option, what);
        StringAssert.Contains(run.Output, value, what);
        Assert.IsLessThanOrEqualTo(lines, run.Output.Trim().Split('\n').Length, what);
        Assert.IsFalse(run.Output.Contains("   at ", StringComparison.Ordinal) || run.Output.Contains("nhandled", StringComparison.Ordinal), what);
    }
}
