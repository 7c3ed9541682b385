using System.CommandLine;
using Examples;
using FewLabels;

// How far a few labels go, with pretraining and without: FewLabels --data DIR [--encoder FILE] [--out DIR].
var data = new Option<DirectoryInfo>("--data")
{
    Description = "A folder of labelled images: class folders, Tiny ImageNet or CUB-200-2011 as distributed.", Required = true,
}.Require(folder => folder.Exists, "a folder that is there");
var encoder = new Option<FileInfo?>("--encoder")
{
    Description = "A pretrained encoder, as PretrainOnYourPhotos writes it. Default: one is pretrained first, on the images without their labels.",
}.Require(file => file is { Exists: true }, "a file that is there");
var output = new Option<DirectoryInfo>("--out")
{
    Description = "Where results go.", DefaultValueFactory = _ => new DirectoryInfo("runs/few-labels"),
}.Require(folder => !File.Exists(folder.FullName), "a folder or the name of a new one");
var shares = new Option<double[]>("--percent")
{
    Description = "How many percent of the labels are used.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [1, 10, 100],
}.Require(shares => shares.All(percent => percent is > 0 and <= 100), "numbers above 0 and at most 100");
var epochs = new Option<int>("--epochs") { Description = "Passes of the pretraining over the images.", DefaultValueFactory = _ => 50 }
    .Require(count => count >= 1, "a whole number, at least 1");
var steps = new Option<int>("--steps") { Description = "Steps of each fine-tuning, 64 images each.", DefaultValueFactory = _ => 800 }
    .Require(count => count >= 1, "a whole number, at least 1");
var imageSize = new Option<int>("--image-size")
{
    Description = "Height and width that images are brought to, a multiple of 4.", DefaultValueFactory = _ => 32,
}.Require(size => size is >= 8 and <= 1024 && size % 4 == 0, "a multiple of 4 from 8 to 1024");
var seed = new Option<int>("--seed") { Description = "Seed of everything random.", DefaultValueFactory = _ => 1 }.Require(_ => true, "a whole number");
var gpu = new Option<int?>("--gpu") { Description = "Number of the CUDA device to run on. Default: the CPU." }
    .Require(gpu => gpu >= 0, "the number of a CUDA device, from 0");

var command = new RootCommand("Fine-tunes with few labels, from a pretrained encoder and from scratch, and compares.")
{
    data, encoder, output, shares, epochs, steps, imageSize, seed, gpu,
};
command.SetAction((parsed, cancellation) =>
{
    var settings = new FewLabelsSettings(
        parsed.GetValue(data)!, parsed.GetValue(encoder), parsed.GetValue(output)!, [.. parsed.GetValue(shares)!.Order()], parsed.GetValue(epochs),
        parsed.GetValue(steps), parsed.GetValue(imageSize), parsed.GetValue(seed), parsed.GetValue(gpu));
    return Outcome.Of(() => FewLabelsRun.Run(settings, cancellation));
});
return await Outcome.Of(command, args);
