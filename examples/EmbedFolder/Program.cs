using System.CommandLine;
using EmbedFolder;
using Examples;
using Smae.Training;

// Embeds the images of a folder to Parquet files: EmbedFolder --images DIR --encoder FILE --out DIR. Started again it goes on.
var images = new Option<DirectoryInfo>("--images") { Description = "A folder of images, at any depth.", Required = true }
    .Require(folder => folder.Exists, "a folder that is there");
var encoder = new Option<FileInfo>("--encoder") { Description = "An encoder: encoder.safetensors, or an exported encoder.onnx.", Required = true }
    .Require(file => file.Exists, "a file that is there");
var folder = new Option<DirectoryInfo>("--out") { Description = "The folder of the Parquet files.", DefaultValueFactory = _ => new DirectoryInfo("runs/embeddings") }
    .Require(folder => !File.Exists(folder.FullName), "a folder or the name of a new one");
var precision = new Option<Precision?>("--precision")
{
    Description = "Numbers of a .safetensors encoder: Float32 (the default) or BFloat16. An .onnx file has its own.",
}.Require(precision => precision is Precision.Float32 or Precision.BFloat16, "Float32 or BFloat16");
var batch = new Option<int>("--batch") { Description = "Images embedded together.", DefaultValueFactory = _ => 64 }
    .Require(count => count >= 1, "a whole number, at least 1");
var rows = new Option<int>("--rows") { Description = "Rows of a file: what a killed run loses at most.", DefaultValueFactory = _ => 10_000 }
    .Require(count => count >= 1, "a whole number, at least 1");
var part = new Option<Part>("--part")
{
    Description = "This process's part of the images, i/n with i from 0. Default: as mpirun or srun says, else all.",
    DefaultValueFactory = _ => Part.OfEnvironment(), CustomParser = result => Part.Parse(result.Tokens[0].Value, result.AddError),
};
var gpu = new Option<int?>("--gpu") { Description = "Number of the CUDA device to run on. Default: the CPU." }
    .Require(gpu => gpu >= 0, "the number of a CUDA device, from 0");

var command = new RootCommand("Embeds the images of a folder to Parquet files.") { images, encoder, folder, precision, batch, rows, part, gpu };
command.SetAction((parsed, cancellation) => Task.Run(() => Outcome.Of(
    () => new Job
    {
        Images = parsed.GetValue(images)!, Encoder = parsed.GetValue(encoder)!, Folder = parsed.GetValue(folder)!, Precision = parsed.GetValue(precision),
        BatchSize = parsed.GetValue(batch), FileRows = parsed.GetValue(rows), Part = parsed.GetValue(part)!, GpuDeviceId = parsed.GetValue(gpu),
    }.Run(cancellation),
    "Cancelled: the same command goes on.")));
return await Outcome.Of(command, args);
