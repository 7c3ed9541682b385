using System.CommandLine;
using Examples;
using Reproduction;

// All methods as one table: reproduction --tiny-imagenet DIR --cub DIR [--scale small|paper|imagenet] [--methods mae-random sdae] [--resume].
string[] keys = [.. Method.All.Select(m => m.Key)], usual = [.. Method.All.Where(m => !m.Optional).Select(m => m.Key)];
var tinyImageNet = new Option<DirectoryInfo>("--tiny-imagenet", "--imagenet")
{
    Description = "Tiny ImageNet as distributed, or some classes of it. At --scale imagenet, ImageNet: train/CLASS and val/CLASS.", Required = true,
};
var cub = new Option<DirectoryInfo>("--cub") { Description = "CUB-200-2011 as distributed, or some classes of it.", Required = true };
var output = new Option<DirectoryInfo>("--out")
{
    Description = "Where results, weights and checkpoints go.", DefaultValueFactory = _ => new DirectoryInfo("runs/reproduction"),
};
var scale = new Option<Scale>("--scale")
{
    Description = "small: some 20 classes on two processor cores. paper: the SMAE paper's, the whole data sets on a GPU. "
        + "imagenet: the other papers', ViT-B/16 on ImageNet, weeks on a GPU. smoke: a minute, learns nothing.",
    DefaultValueFactory = _ => Scale.Small,
};
var methods = new Option<string[]>("--methods")
{
    Description = $"Rows of the table: {string.Join(", ", keys)}. Default: all but {string.Join(", ", keys.Except(usual))}.",
    AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => usual,
};
methods.AcceptOnlyFromAmong(keys);
var teacher = new Option<FileInfo>("--teacher")
{
    Description = "DMAE's teacher: a safetensors file of Smae with its JSON file, else MAE's ViT-L. Default: one is pretrained, "
        + "but not at --scale imagenet.",
};
var probesOnly = new Option<bool>("--probes-only") { Description = "Leave fine-tuning out; a later run with --resume and without this does it." };
var seeds = new Option<int>("--seeds") { Description = "How often everything is done, each time with another seed.", DefaultValueFactory = _ => 1 };
var gpu = new Option<int?>("--gpu") { Description = "Number of the CUDA device to run on. Default: the CPU." };
var resume = new Option<bool>("--resume") { Description = "Go on with what is in the output folder." };
seeds.Validators.Add(result =>
{
    if (result.GetValueOrDefault<int>() < 1) result.AddError("--seeds must be at least 1.");
});

var command = new RootCommand("Compares ways to pretrain with each other and with none, on Tiny ImageNet and CUB.")
{
    tinyImageNet, cub, output, scale, methods, teacher, probesOnly, seeds, gpu, resume,
};
command.SetAction((parsed, cancellation) =>
{
    string[] chosen = parsed.GetValue(methods)!;
    var settings = new Settings(
        parsed.GetValue(tinyImageNet)!, parsed.GetValue(cub)!, parsed.GetValue(output)!, parsed.GetValue(scale),
        [.. Method.All.Where(m => chosen.Contains(m.Key))], parsed.GetValue(seeds), parsed.GetValue(gpu), parsed.GetValue(resume),
        parsed.GetValue(teacher), parsed.GetValue(probesOnly));
    return Outcome.Of(() => Experiment.Run(settings, cancellation), "Cancelled: --resume goes on from here.");
});
return await command.Parse(args).InvokeAsync();
