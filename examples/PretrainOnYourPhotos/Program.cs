using System.CommandLine;
using Examples;
using PretrainOnYourPhotos;

// Pretrains an encoder on a folder of photos without labels: PretrainOnYourPhotos --photos DIR [--hours 2] [--out DIR].
// The same command goes on with a stopped run. Several processes, on one machine or many: mpirun.mpich -n 4 dotnet PretrainOnYourPhotos.dll --photos DIR.
var photos = new Option<DirectoryInfo>("--photos") { Description = "A folder of photos, at any depth. Labels are not needed.", Required = true }
    .Require(folder => folder.Exists, "a folder that is there");
var output = new Option<DirectoryInfo>("--out")
{
    Description = "Where results and checkpoints go.", DefaultValueFactory = _ => new DirectoryInfo("runs/photos"),
}.Require(folder => !File.Exists(folder.FullName), "a folder or the name of a new one");
var hours = new Option<double>("--hours")
{
    Description = "Time for training, such as 2 or 0.5: as many passes over the photos as end in it.", DefaultValueFactory = _ => 1,
}.Require(hours => hours is > 0 and <= 8760, "a number above 0 and at most 8760, a year");
var epochs = new Option<int?>("--epochs") { Description = "Passes over the photos at most. Default: by their number, 20 to 2000." }
    .Require(count => count >= 1, "a whole number, at least 1");
var goOn = new Option<bool>("--go-on") { Description = "Goes on from an earlier run in --out whose settings or photos were others." };
var imageSize = new Option<int>("--image-size")
{
    Description = "Height and width that photos are brought to, a multiple of 16. Larger sees more and takes longer.", DefaultValueFactory = _ => 64,
}.Require(size => size is >= 16 and <= 1024 && size % 16 == 0, "a multiple of 16 from 16 to 1024");
var checkpointMinutes = new Option<double>("--checkpoint-minutes") { Description = "Minutes between two checkpoints.", DefaultValueFactory = _ => 5 }
    .Require(minutes => minutes is >= 0 and <= 10080, "a number from 0, after each epoch, to 10080, a week");
var shards = new Option<bool>("--shards") { Description = "Under mpirun: --photos has other photos on each machine, a shard." };
var seed = new Option<int>("--seed") { Description = "Seed of everything random.", DefaultValueFactory = _ => 1 }.Require(_ => true, "a whole number");
var gpu = new Option<int?>("--gpu") { Description = "Number of the CUDA device to run on. Default: the CPU." }
    .Require(gpu => gpu >= 0, "the number of a CUDA device, from 0");

var command = new RootCommand("Pretrains an image encoder on your photos, without labels.")
{
    photos, output, hours, epochs, imageSize, goOn, checkpointMinutes, shards, seed, gpu,
};
command.SetAction((parsed, cancellation) =>
{
    var settings = new PretrainSettings(
        parsed.GetValue(photos)!, parsed.GetValue(output)!, TimeSpan.FromHours(parsed.GetValue(hours)), parsed.GetValue(epochs),
        parsed.GetValue(imageSize), parsed.GetValue(goOn), TimeSpan.FromMinutes(parsed.GetValue(checkpointMinutes)),
        parsed.GetValue(shards), parsed.GetValue(seed), parsed.GetValue(gpu));
    return Outcome.Of(() => PretrainRun.Run(settings, cancellation), "Stopped: the same command goes on from here.");
});
return await Outcome.Of(command, args);
