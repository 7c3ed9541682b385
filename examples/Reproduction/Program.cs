using System.CommandLine;
using Examples;
using Reproduction;

// All methods as one table: reproduction --images DIR [--cub DIR] [--scale small|paper|imagenet] [--methods mae-random sdae] [--resume].
string[] keys = [.. Method.All.Select(m => m.Key)], usual = [.. Method.All.Where(m => !m.Optional).Select(m => m.Key)];
var images = new Option<DirectoryInfo>("--images", "--tiny-imagenet", "--imagenet")
{
    Description = "Images by class: Tiny ImageNet as distributed, ImageNet, a folder of yours. Without a split to measure on a fifth of each class is held back.",
    Required = true,
}.Require(folder => folder.Exists, "a folder that is there");
var cub = new Option<DirectoryInfo?>("--cub", "--transfer")
{
    Description = "A second set to fine-tune on: CUB-200-2011 as distributed, some classes of it, a folder of yours. Default: none.",
}.Require(folder => folder is { Exists: true }, "a folder that is there");
var output = new Option<DirectoryInfo>("--out")
{
    Description = "Where results, weights and checkpoints go.", DefaultValueFactory = _ => new DirectoryInfo("runs/reproduction"),
}.Require(folder => !File.Exists(folder.FullName), "a folder or the name of a new one");
var scale = new Option<Scale>("--scale")
{
    Description = "small: some 20 classes on two processor cores. paper: the SMAE paper's, the whole data sets on a GPU. "
        + "imagenet: the other papers', ViT-B/16 on ImageNet, weeks on a GPU. smoke: a minute, learns nothing.",
    DefaultValueFactory = _ => Scale.Small,
}.Require(Enum.IsDefined, "small, paper, imagenet or smoke");
var methods = new Option<string[]>("--methods")
{
    Description = $"Rows of the table: {string.Join(", ", keys)}. Default: all but {string.Join(", ", keys.Except(usual))}.",
    AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => usual,
}.Require(given => given.All(keys.Contains), $"some of {string.Join(", ", keys)}");
var teacher = new Option<FileInfo>("--teacher")
{
    Description = "DMAE's teacher: a safetensors file of Smae with its JSON file, else MAE's ViT-L. Default: one is pretrained, "
        + "but not at --scale imagenet.",
}.Require(file => file.Exists, "a file that is there");
var probesOnly = new Option<bool>("--probes-only") { Description = "Leave fine-tuning out; a later run with --resume and without this does it." };
var seeds = new Option<int>("--seeds") { Description = "How often everything is done, each time with another seed.", DefaultValueFactory = _ => 1 }
    .Require(count => count >= 1, "a whole number, at least 1");
var shares = new Option<double[]>("--label-shares")
{
    Description = "Shares of the labels to fine-tune with, such as 0.01 0.1 1.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [1],
}.Require(given => given.All(share => share is > 0 and <= 1), "numbers above 0 and at most 1");
var rates = new Option<double[]>("--rates")
{
    Description = "Factors of each method's learning rate to try, such as 0.5 1 2: half of the epochs each, judged among the training images.",
    AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [1],
}.Require(given => given.All(rate => rate is > 0 and <= 1000), "numbers above 0 and at most 1000");
var gpu = new Option<int?>("--gpu") { Description = "Number of the CUDA device to run on. Default: the CPU." }
    .Require(gpu => gpu >= 0, "the number of a CUDA device, from 0");
var resume = new Option<bool>("--resume") { Description = "Go on with what is in the output folder." };

var command = new RootCommand("Compares ways to pretrain with each other and with none, on images of yours or Tiny ImageNet and CUB.")
{
    images, cub, output, scale, methods, teacher, probesOnly, seeds, shares, rates, gpu, resume,
};
command.SetAction((parsed, cancellation) =>
{
    string[] chosen = parsed.GetValue(methods)!;
    var settings = new Settings(
        parsed.GetValue(images)!, parsed.GetValue(cub), parsed.GetValue(output)!, parsed.GetValue(scale),
        [.. Method.All.Where(m => chosen.Contains(m.Key))], parsed.GetValue(seeds), parsed.GetValue(gpu), parsed.GetValue(resume),
        parsed.GetValue(teacher), parsed.GetValue(probesOnly), [.. parsed.GetValue(shares)!.Distinct().Order()], [.. parsed.GetValue(rates)!.Distinct().Order()]);
    return Outcome.Of(() => Experiment.Run(settings, cancellation), "Cancelled: --resume goes on from here.");
});
return await Outcome.Of(command, args);
