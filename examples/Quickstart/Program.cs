using System.CommandLine;
using Examples;
using Quickstart;
using Smae.Training;

// Pretrains on images without labels, fine-tunes with few labels, exports, saves, and scores without Smae: Quickstart [--data DIR] [--out DIR].
var data = new Option<DirectoryInfo?>("--data")
{
    Description = "A folder of labelled images: class folders, Tiny ImageNet or CUB-200-2011 as distributed. Default: pictograms, drawn for the occasion.",
}.Require(folder => folder is { Exists: true }, "a folder that is there");
var output = new Option<DirectoryInfo>("--out") { Description = "Where results go.", DefaultValueFactory = _ => new DirectoryInfo("runs/quickstart") }
    .Require(folder => !File.Exists(folder.FullName), "a folder or the name of a new one");
var epochs = new Option<int>("--epochs")
{
    Description = "Passes over the images in pretraining; with --data 12 unless given.", DefaultValueFactory = parsed => parsed.GetValue(data) is null ? 40 : 12,
}.Require(count => count >= 1, "a whole number, at least 1");
var fineTuneEpochs = new Option<int>("--fine-tune-epochs")
{
    Description = "Passes over the labelled images; with --data 4 unless given.", DefaultValueFactory = parsed => parsed.GetValue(data) is null ? 40 : 4,
}.Require(count => count >= 1, "a whole number, at least 1");
var labels = new Option<int>("--labels-per-class")
{
    Description = "Images of each class whose label is used, 0 for all; with --data all unless given. Pretraining takes all images and no label.",
    DefaultValueFactory = parsed => parsed.GetValue(data) is null ? 20 : 0,
}.Require(count => count >= 0, "a whole number, at least 0");
var imageSize = new Option<int>("--image-size") { Description = "Height and width that images are resized to, a multiple of 4.", DefaultValueFactory = _ => 32 }
    .Require(size => size is >= 8 and <= 1024 && size % 4 == 0, "a multiple of 4 from 8 to 1024");
var seed = new Option<int>("--seed") { Description = "Seed of everything random.", DefaultValueFactory = _ => 1 }.Require(_ => true, "a whole number");
var gpu = new Option<int?>("--gpu") { Description = "Number of the CUDA device to run on. Default: the CPU." }
    .Require(gpu => gpu >= 0, "the number of a CUDA device, from 0");
var precision = new Option<Precision?>("--precision") { Description = "Float32 or BFloat16. Default: the faster one on this machine." }
    .Require(precision => precision is Precision.Float32 or Precision.BFloat16, "Float32 or BFloat16");

var command = new RootCommand("Pretrains a masked autoencoder on images, fine-tunes its encoder, exports and saves it, and scores in an application without Smae.")
{
    data, output, epochs, fineTuneEpochs, labels, imageSize, seed, gpu, precision,
};
command.SetAction((parsed, cancellation) =>
{
    var settings = new QuickstartSettings(
        parsed.GetValue(data), parsed.GetValue(output)!, parsed.GetValue(epochs), parsed.GetValue(fineTuneEpochs), parsed.GetValue(labels),
        parsed.GetValue(imageSize), parsed.GetValue(seed), parsed.GetValue(gpu), parsed.GetValue(precision));
    return Outcome.Of(() => new QuickstartRun(settings, cancellation).Run());
});
return await Outcome.Of(command, args);
